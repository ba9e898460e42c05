"""Files as people have them: keys of old programs, texts of hand scanners, settings."""
import subprocess

import pytest

from tsb import run


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=officer", "-keyout", folder / "key.pem", "-out", folder / "crt.pem")
    (folder / "pass").write_text("\ufeffword\n")
    return folder


def load(path, folder, code=3):
    return run("tasks", "-k", path, "--passphrase-file", folder / "pass",
               env={"TSB_URL": "http://127.0.0.1:1"}, code=code).err


def test_a_container_opens_whose_certificate_is_old(files):
    pack = ["pkcs12", "-export", "-inkey", files / "key.pem", "-in", files / "crt.pem",
            "-passout", "pass:word"]
    openssl(*pack, "-keypbe", "AES-256-CBC", "-certpbe", "NONE", "-out", files / "none.p12")
    openssl(*pack, "-nomac", "-out", files / "nomac.p12")
    assert "cannot reach" in load(files / "none.p12", files)
    assert "no MAC" in load(files / "nomac.p12", files, code=1)


def test_what_is_no_private_key_is_named(files):
    assert "this is a certificate" in load(files / "crt.pem", files, code=1)


@pytest.mark.parametrize("end", ["\n", "\r", "\t", "\r\n"])
@pytest.mark.parametrize("aim", ["", "]Q1"])
def test_scanners_end_lines_their_way(tmp_path, end, aim):
    text = aim + '{"signRequest":{"signKeyName":"k"}}' + end
    run("offline", "scan", "--device", "-", "-o", tmp_path / "out", input=text.encode())
    assert (tmp_path / "out").read_text() == '{"signRequest":{"signKeyName":"k"}}\n'


def test_a_foreign_keyboard_layout_is_hinted(tmp_path):
    done = run("offline", "scan", "--device", "-", "-o", tmp_path / "out",
               input=b"TSBQR1'01a21f4d'1'8'48606c6c'x\n", code=8)
    assert "keyboard layout" in done.err


@pytest.mark.parametrize("program", ["tsb-fcgi", "tsb-dispatcher"])
def test_check_refuses_what_starting_refuses(tmp_path, program):
    settings = tmp_path / "tsb.conf"
    settings.write_text("[general]\nsecretKeyFile = %s\n[database]\nname = x\n"
                        "[hsm]\nurl = http://127.0.0.1:1\n" % (tmp_path / "none"))
    assert "general.secretKeyFile" in run("-n", "-c", settings, program=program, code=1).err
