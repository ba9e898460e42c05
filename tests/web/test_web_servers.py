"""The shipped files of nginx/ and apache/, TLS included: only names, ports and folders are replaced."""
import datetime
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from private_site import ROOT, Site

UUID = "0190a5e0-0000-7000-8000-000000000000"
APACHE = shutil.which("apache2", path=os.environ["PATH"] + ":/usr/sbin")
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Ca:
    def __init__(self, name):
        self.name, self.key = self._name(name), ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(self.name, self.key.public_key(), ca=True)

    @staticmethod
    def _name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def _sign(self, subject, public, ca):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=30))
                   .add_extension(x509.BasicConstraints(ca, None), True))
        if not ca:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name, folder):
        """Writes name.pem and name.key; returns the SHA-256 of the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(self._name(name), key.public_key(), ca=False)
        (folder / (name + ".pem")).write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        (folder / (name + ".key")).write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return hashlib.sha256(cert.public_bytes(serialization.Encoding.DER)).hexdigest()

    def write(self, path):
        path.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def tls():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tsb-tls-"))
    folder.chmod(0o755)
    good, foreign = Ca("good"), Ca("foreign")
    good.write(folder / "client-ca.pem")
    good.issue("server", folder)
    fingerprint = good.issue("caller", folder)
    good.issue("nobody", folder)
    foreign.issue("stranger", folder)
    yield folder, fingerprint
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def site(tls):
    s = Site(hsm_url="web", settings="\n[apiAuthentication]\nkeyOperationCertificate = sha256:%s\n" % tls[1])
    yield s
    s.down()


def as_user_of(path):
    """What runs a program as the owner of the sockets."""
    script = '. "$1/tools/lib/user.sh"; run_as "$2"'
    user = pwd.getpwuid(os.stat(path).st_uid).pw_name
    done = subprocess.run(["sh", "-c", script, "sh", str(ROOT), user], text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout.split()


class Server:
    """A web server with a shipped file inside the least frame."""

    def __init__(self, site, tls, name, backend="fcgi"):
        self.site, self.tls, self.port, self.backend = site, tls[0], free_port(), backend
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tsb-web-"))
        owner = os.stat(site.dir / "run" / "fcgi.sock")
        os.chown(self.folder, owner.st_uid, owner.st_gid)
        for key in self.tls.glob("*.key"):
            os.chown(key, owner.st_uid, owner.st_gid)
        self.prefix = as_user_of(site.dir / "run" / "fcgi.sock")
        self.command = getattr(self, name)()
        test = subprocess.run(self.prefix + self.command + ["-t"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        assert test.returncode == 0, test.stdout
        self.log = open(self.folder / "out.log", "wb")
        self.process = subprocess.Popen(self.prefix + self.command + self.foreground,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        self.wait()

    def replaced(self, path, *pairs):
        text = (ROOT / path).read_text()
        for old, new in pairs + (("/etc/ssl/tsb", str(self.tls)),
                                 ("/run/tsb/fcgi.sock", str(self.site.dir / "run" / (self.backend + ".sock")))):
            assert old in text, "%s has no %s" % (path, old)
            text = text.replace(old, new)
        return text

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def nginx(self):
        text = self.replaced(
            "nginx/tsb.conf", ("listen 443 ssl", "listen 127.0.0.1:%d ssl" % self.port),
            ("\tlisten [::]:443 ssl backlog=4096;\n", ""), ("/var/log/nginx", str(self.folder)),
            ("snippets/tsb-fastcgi.conf", str(ROOT / "nginx/tsb-fastcgi.conf")),
            ("#ssl_client_certificate", "ssl_client_certificate"),
            ("#ssl_verify_client", "ssl_verify_client"), ("#ssl_verify_depth", "ssl_verify_depth"))
        temp = "".join("%s_temp_path %s/%s;\n" % (n, self.folder, n)
                       for n in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        self.write("tsb-fastcgi.conf", (ROOT / "nginx/tsb-fastcgi.conf").read_text())
        text = text.replace(str(ROOT / "nginx/tsb-fastcgi.conf"), str(self.folder / "tsb-fastcgi.conf"))
        path = self.write("nginx.conf", "daemon off;\npid %s/pid;\nevents { }\nhttp {\n%s%s}\n"
                          % (self.folder, temp, text))
        self.foreground = []
        return [NGINX, "-e", "stderr", "-p", str(self.folder), "-c", path]

    def apache_frame(self, text, modules):
        load = "".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n" % (m, m)
                       for m in modules.split())
        path = self.write("apache.conf", (
            "ServerRoot {0}\nDefaultRuntimeDir {0}\nPidFile {0}/pid\nMutex file:{0} default\n"
            "ServerName localhost\nServerTokens Prod\nErrorLog {0}/error.log\n"
            "Define APACHE_LOG_DIR {0}\n{1}Listen 127.0.0.1:{2}\n"
            "LogFormat \"%h %t \\\"%r\\\" %>s %b\" combined\n{3}"
        ).format(self.folder, load, self.port, text))
        self.foreground = ["-DFOREGROUND"]
        return [APACHE, "-d", str(self.folder), "-f", path]

    def apache(self):
        self.write("tsb-fastcgi.conf", (ROOT / "apache/tsb-fastcgi.conf").read_text())
        text = self.replaced(
            "apache/tsb.conf", ("<VirtualHost *:443>", "<VirtualHost 127.0.0.1:%d>" % self.port),
            ("#SSLCACertificateFile", "SSLCACertificateFile"), ("#SSLVerifyClient", "SSLVerifyClient"),
            ("#SSLVerifyDepth", "SSLVerifyDepth"))
        modules = re.search(r"a2enmod (.*)", text).group(1)
        return self.apache_frame(text, "mpm_event authz_core socache_shmcb " + modules)

    def cgi(self):
        # The program is where its user reaches it, whatever the build folder is.
        shutil.copy(self.site.build / "tsb-fcgi", self.folder / "tsb-fcgi")
        text = (ROOT / "apache/tsb-cgi.conf").read_text()
        for old, new in (("<VirtualHost *:443>", "<VirtualHost 127.0.0.1:%d>" % self.port),
                         ("/usr/local/sbin/tsb-fcgi", str(self.folder / "tsb-fcgi")),
                         ("/usr/local/etc/tsb/tsb.conf", str(self.site.dir / "tsb.conf")),
                         ("/etc/ssl/tsb", str(self.tls))):
            assert old in text, old
            text = text.replace(old, new)
        modules = re.search(r"a2enmod (.*)", text).group(1)
        frame = "ScriptSock %s/cgi.sock\n%s" % (self.folder, text)
        return self.apache_frame(frame, "mpm_event authz_core env socache_shmcb " + modules)

    def wait(self):
        until = time.time() + 30
        while True:
            assert self.process.poll() is None, (self.folder / "out.log").read_text()
            try:
                self.send("GET", "/v1/versionInfo")
                return
            except OSError:
                assert time.time() < until, (self.folder / "out.log").read_text()
                time.sleep(0.05)

    def context(self, cert=None, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.tls / "client-ca.pem")
        if cert:
            context.load_cert_chain(self.tls / (cert + ".pem"), self.tls / (cert + ".key"))
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        return context

    def send(self, method, path, body=None, headers=None, cert=None, version=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=60,
                                                 context=self.context(cert, version))
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def stall(self, path):
        """A request whose body does not come."""
        raw = socket.create_connection(("localhost", self.port), 60)
        client = self.context().wrap_socket(raw, server_hostname="localhost")
        client.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"
                       % path.encode())
        return client

    def refusal(self, *args, **options):
        status, headers, body = self.send(*args, **options)
        assert dict(headers)["Content-Type"].startswith("application/json"), body
        error = json.loads(body)
        assert set(error) == {"errorCode", "reason", "message"}
        return status, error["errorCode"]

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)
        self.log.close()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module", params=["nginx", "apache"])
def web(request, site, tls):
    server = Server(site, tls, request.param)
    yield server
    server.close()


@pytest.fixture(scope="module")
def cgi(site, tls):
    server = Server(site, tls, "cgi")
    yield server
    server.close()


def key(site, role):
    return {"X-API-KEY": site.vars["TSB_%s_TOKEN" % role]}


def test_answers_over_tls_without_naming_its_version(web, site):
    status, headers, body = web.send("GET", "/v1/versionInfo", headers=key(site, "SERVICE"))
    assert status == 200 and "Version" in json.loads(body)
    headers = {name.lower(): value for name, value in headers}
    assert headers["server"] in ("nginx", "Apache")
    assert headers["strict-transport-security"].startswith("max-age=")


def test_old_tls_is_refused(web, site):
    assert web.send("GET", "/v1/versionInfo", headers=key(site, "SERVICE"),
                    version=ssl.TLSVersion.TLSv1_2)[0] == 200
    with pytest.warns(DeprecationWarning), pytest.raises(OSError):
        web.send("GET", "/v1/versionInfo", version=ssl.TLSVersion.TLSv1_1)


def test_client_certificate_gives_its_role_and_no_other(web):
    assert web.refusal("GET", "/v1/request/" + UUID, cert="caller") == (404, 651)
    assert web.refusal("GET", "/v1/versionInfo", cert="caller") == (401, 631)
    assert web.refusal("GET", "/v1/request/" + UUID, cert="nobody") == (401, 631)
    assert web.refusal("GET", "/v1/request/" + UUID) == (401, 631)


def test_certificate_of_a_foreign_ca_is_not_served(web):
    try:
        status, _, _ = web.send("GET", "/v1/request/" + UUID, cert="stranger")
    except OSError:  # refused in the handshake
        return
    assert status in (400, 401)


def test_headers_prove_nothing(web, tls):
    pem = (tls[0] / "caller.pem").read_text()
    escaped = pem.replace("\n", "%0A")
    for verify, cert, user in (("TSB-CLIENT-VERIFY", "TSB-CLIENT-CERT", "REMOTE-USER"),
                               ("TSB_CLIENT_VERIFY", "TSB_CLIENT_CERT", "REMOTE_USER"),
                               ("SSL-CLIENT-VERIFY", "SSL-CLIENT-CERT", "AUTH-TYPE")):
        forged = {verify: "SUCCESS", cert: escaped, user: "caller", "Authorization": "Basic YTpi"}
        assert web.refusal("GET", "/v1/request/" + UUID, headers=forged) == (401, 631)


def test_too_large_bodies_get_json(web, site):
    for size in (4 * 1024 * 1024 + 1, 6 * 1024 * 1024):
        assert web.refusal("POST", "/v1/sign", b" " * size, key(site, "KEY_OPERATION")) == (413, 600)


def test_operations_with_approvals_may_be_larger(web, site):
    """tsb-hsm takes 16 MiB there: it is tsb-fcgi that refuses them here, not the web server."""
    status, _, body = web.send("POST", "/v1/synchronousSign", b" " * 6 * 1024 * 1024,
                               headers=key(site, "KEY_OPERATION"))
    assert status == 413 and str(4 * 1024 * 1024) in json.loads(body)["message"]
    assert web.refusal("POST", "/v1/synchronousSign", b" " * 18 * 1024 * 1024,
                       key(site, "KEY_OPERATION")) == (413, 600)


def answers_beside_slow_clients(server, api_key):
    slow = [server.stall("/v1/synchronousSign") for _ in range(12)]
    for _ in range(3):
        started = time.monotonic()
        assert server.send("GET", "/v1/versionInfo", headers=api_key)[0] == 200
        assert time.monotonic() - started < 1
    for client in slow:
        client.close()


def test_slow_clients_hold_no_worker(web, site):
    """None has an API key, and each would be refused."""
    answers_beside_slow_clients(web, key(site, "SERVICE"))


@pytest.mark.parametrize("name", ["nginx", "apache"])
def test_slow_clients_hold_no_worker_of_the_hsm(site, tls, name):
    api_key = (site.dir / "secret" / "hsm-broker").read_text().strip()
    server = Server(site, tls, name, backend="hsm")
    try:
        answers_beside_slow_clients(server, {"X-API-KEY": api_key})
    finally:
        server.close()


def test_packed_bodies_are_named(web, site):
    """The web server passes Content-Encoding on; tsb-fcgi does not unpack."""
    packed = dict(key(site, "KEY_OPERATION"), **{"Content-Encoding": "gzip"})
    status, _, body = web.send("POST", "/v1/sign", gzip.compress(b"{}"), packed)
    assert status == 415 and "Content-Encoding gzip" in json.loads(body)["message"]


def test_byte_order_mark_is_skipped(web, site):
    status, _, body = web.send("POST", "/v1/synchronousSign", b"\xef\xbb\xbf{}",
                               key(site, "KEY_OPERATION"))
    assert status == 400 and "at byte 0" not in json.loads(body)["message"], body


def test_encoded_slash_stays_in_its_segment(web, site):
    """A key name with an encoded slash is one segment of the path: the route is found."""
    status, code = web.refusal("GET", "/v1/key/no%2Fsuch%2Fkey/attributes",
                               headers=key(site, "KEY_MANAGEMENT"))
    assert (status, code) != (404, 102) and code in (610, 650)
    assert web.refusal("GET", "/v1/key/no/such/key/attributes",
                       headers=key(site, "KEY_MANAGEMENT")) == (404, 102)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_bodies_of_all_methods_arrive(web, site, method):
    assert web.refusal(method, "/v1/task", b"{}", key(site, "APPROVER")) == (400, 600)
    assert web.refusal(method, "/v1/task", b"{", key(site, "APPROVER")) == (400, 600)


def test_trace_is_refused(web):
    assert web.refusal("TRACE", "/v1/versionInfo") == (405, 102)


def test_backend_away_is_json_with_code_2(web, site):
    site.part("stop", "fcgi")
    try:
        status, code = web.refusal("GET", "/v1/versionInfo", headers=key(site, "SERVICE"))
        assert status in (502, 503, 504) and code == 2
    finally:
        site.part("start", "fcgi")
    assert web.send("GET", "/v1/versionInfo", headers=key(site, "SERVICE"))[0] == 200


def test_cgi_answers(cgi, site):
    status, _, body = cgi.send("GET", "/v1/versionInfo", headers=key(site, "SERVICE"))
    assert status == 200 and "Version" in json.loads(body)
    assert cgi.refusal("GET", "/v1/versionInfo") == (401, 631)
    assert cgi.refusal("GET", "/v1/request/" + UUID, headers=key(site, "KEY_OPERATION")) == (404, 651)
    assert cgi.refusal("PATCH", "/v1/task", b"{}", key(site, "APPROVER")) == (400, 600)
    assert cgi.refusal("POST", "/v1/sign", b" " * 6 * 1024 * 1024,
                       key(site, "KEY_OPERATION")) == (413, 600)
    assert cgi.refusal("GET", "/v1/nothing", headers=key(site, "SERVICE")) == (404, 102)
    status, code = cgi.refusal("GET", "/v1/key/no%2Fsuch%2Fkey/attributes",
                               headers=key(site, "KEY_MANAGEMENT"))
    assert code in (610, 650)


@pytest.mark.parametrize("query", ["-V", "--help-settings", "-c+/etc/passwd"])
def test_query_words_are_taken_for_options(cgi, site, query):
    """A CGI server passes a query without "=" as arguments: options of a client's choice."""
    status, _, body = cgi.send("GET", "/v1/versionInfo?" + query, headers=key(site, "SERVICE"))
    assert status == 200 and "Version" in json.loads(body)


@pytest.mark.parametrize("name", ["nginx", "apache"])
def test_file_for_the_hsm_is_valid(site, tls, name):
    """The same frame with the HSM's file: the web server takes it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tsb-web-"))
    server = Server.__new__(Server)
    server.folder, server.port, server.site, server.tls = folder, free_port(), site, tls[0]
    try:
        for cert in ("hsm.pem", "hsm.key", "broker-ca.pem"):
            (folder / cert).write_bytes((tls[0] / {
                "hsm.pem": "server.pem", "hsm.key": "server.key",
                "broker-ca.pem": "client-ca.pem"}[cert]).read_bytes())
        text = (ROOT / name / "tsb-hsm.conf").read_text().replace("/etc/ssl/tsb", str(folder))
        snippet = ROOT / name / "tsb-fastcgi.conf"
        if name == "nginx":
            text = text.replace("snippets/tsb-fastcgi.conf", str(snippet))
            text = text.replace("/var/log/nginx", str(folder)).replace("/run/tsb-hsm", str(folder))
            text = text.replace("8443", str(server.port))
            path = server.write("nginx.conf", "pid %s/pid;\nevents { }\nhttp {\n%s}\n" % (folder, text))
            command = [NGINX, "-e", "stderr", "-p", str(folder), "-c", path, "-t"]
        else:
            server.write("tsb-fastcgi.conf", snippet.read_text())
            text = text.replace("8443", str(free_port())).replace("8090", str(free_port()))
            command = server.apache_frame(text, "mpm_event authz_core socache_shmcb ssl alias proxy "
                                          "proxy_fcgi headers setenvif buffer reqtimeout") + ["-t"]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60)
        assert done.returncode == 0, done.stdout
    finally:
        shutil.rmtree(folder)
