"""Each program has a user and a database password of its own (no site)."""
import re
import subprocess

import pytest

from private_site import ROOT, build_dir

UNITS = {"tsb-fcgi": "tsb-fcgi", "tsb-dispatcher": "tsb-dispatcher", "tsb-hsm": "tsb-hsm"}

SETTINGS = """[general]
[database]
apiPasswordFile = %s
dispatcherPasswordFile = %s
adminPasswordFile = %s
[hsm]
url = fcgi:/nowhere
"""


@pytest.mark.parametrize("own", ["tsb-fcgi", "tsb-dispatcher"])
def test_a_program_reads_only_its_own_password(own, tmp_path):
    """Nobody can read a file that is not there: the same as one that its user may not read."""
    password, settings = tmp_path / "password", tmp_path / "tsb.conf"
    password.write_text("secret\n")
    for reads, status in ((own, 0), (None, 1)):
        files = [password if program == reads else tmp_path / "closed"
                 for program in ("tsb-fcgi", "tsb-dispatcher", "tsb-admin")]
        settings.write_text(SETTINGS % tuple(files))
        done = subprocess.run([build_dir() / own, "-n", "-c", settings], text=True,
                              capture_output=True, timeout=20)
        assert done.returncode == status, done.stderr
        assert status == 0 or "PasswordFile" in done.stderr


def test_units_run_as_users_of_their_own():
    users = {}
    for unit in UNITS:
        text = (ROOT / "etc" / (unit + ".service")).read_text()
        users[unit], = re.findall("^User=(.*)$", text, re.M)
        folders = re.findall("^(?:Runtime|Logs|State)Directory=(.*)$", text, re.M)
        assert set(folders) <= {unit}, "systemd gives a folder to one user"
    assert users == UNITS
