"""tools/lib/private-db.sh where the server reaches its folder by a capability only, as on a machine whose
root folder is closed to users."""
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SCRIPT = """
cd "$1" && . tools/lib/user.sh && . tools/lib/private-db.sh || exit 1
run_as() {
	echo setpriv --reuid="$(id -u "$1")" --regid="$(id -g "$1")" --clear-groups \\
		--inh-caps=+dac_read_search --ambient-caps=+dac_read_search
}
trap 'db_stop "$2"' EXIT
for round in 1 2; do
	db_start "$2" || exit 1
	echo 'CREATE DATABASE made; DROP DATABASE made; CHECK TABLE mysql.proc EXTENDED' | db_sql "$2" || exit 1
	db_stop "$2" || exit 1
done
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a server a capability")
def test_the_server_keeps_its_system_tables_behind_a_closed_folder(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "db"
    done = subprocess.run(["sh", "-c", SCRIPT, "sh", str(TOP), str(folder)], text=True, timeout=240,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["mysql.proc\tcheck\tstatus\tOK"] * 2
    assert "Zerofilling" not in (folder / "db.log").read_text()
