"""An execution service that approves: TLS on both sides, a rule that decides, the key of an approver."""
import base64
import datetime
import http.server
import ipaddress
import json
import os
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from approver import b64, unb64

EXECUTE = "/api/v1/execute"


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(content)
    os.chmod(path, 0o644)     # the programs of a site run as another user
    return path


class Ca:
    """Makes certificates of 127.0.0.1, which serve and call."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.file = write(folder, "ca.pem", self.sign("ca", self.key.public_key(), True))

    def sign(self, name, public, is_ca=False):
        now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
        named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (name, "ca")]
        made = (x509.CertificateBuilder().subject_name(named[0]).issuer_name(named[1])
                .public_key(public).serial_number(x509.random_serial_number())
                .not_valid_before(now - day).not_valid_after(now + day)
                .add_extension(x509.BasicConstraints(is_ca, None), True)
                .add_extension(x509.SubjectAlternativeName(
                    [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False))
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue(self, name):
        """Files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
        return (write(self.folder, name + ".pem", self.sign(name, key.public_key())),
                write(self.folder, name + ".key", pem))


class Service:
    """rule(task): what is answered: a dict, or (status, bytes); None breaks the connection."""

    def __init__(self, ca, approver, name):
        self.approver, self.lock = approver, threading.Lock()
        self.asked = []     # (task, request) of all calls
        self.rule = self.approval
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request = body["executeRequest"]
                task = json.loads(base64.b64decode(request["input"], validate=True))
                with outer.lock:
                    outer.asked.append((task, {**request, "path": self.path}))
                answer = outer.rule(task)
                if answer is None:
                    self.close_connection = True
                    return
                status, text = answer if isinstance(answer, tuple) else (
                    200, json.dumps(answer).encode())
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass    # the dispatcher gave up waiting

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*ca.issue(name))
        context.load_verify_locations(ca.file)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.url = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, output, signature):
        """With the other members of such answers, which are nothing to the broker."""
        return {"output": output, "outputSignature": signature and b64(signature),
                "timestamp": "2026-01-31T12:00:00Z", "executionCounter": 7,
                "environmentInformation": {"tee": "made up"}, "evidenceSignature": None}

    def approval(self, task):
        token = task["approvalToBeSigned"]
        return self.answer(token, self.approver.sign(unb64(token)))

    def tasks(self, rid):
        with self.lock:
            return [task for task, _ in self.asked if task["requestStatus"]["id"] == rid]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
