"""Runs the command line, and a made-up broker that answers whatever a test wants."""
import fcntl
import http.server
import json
import os
import pty
import select
import subprocess
import termios
import threading
import time

from private_site import build_dir


class Done:
    def __init__(self, done):
        self.code = done.returncode
        self.raw = done.stdout
        self.out = done.stdout.decode(errors="surrogateescape")
        self.err = done.stderr.decode(errors="surrogateescape")

    def __repr__(self):
        return "exit %d\n%s\n%s" % (self.code, self.out, self.err)

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def failure(self):
        """The object that --json puts on stderr; notes may stand before it."""
        return json.loads(self.err.strip().splitlines()[-1])


def run(*args, program="tsb", env=None, input=b"", code=0, cwd=None, timeout=60):
    """The program with these arguments, no terminal to ask at; code None accepts any exit code."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TSB_")}
    clean.update(env or {})
    done = Done(subprocess.run([str(build_dir() / program), *map(str, args)], env=clean,
                               input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               cwd=cwd, timeout=timeout, start_new_session=True))
    assert done.code >= 0, done
    assert code is None or done.code == code, done
    return done


class Broker:
    """answers: (method, path) -> (status, body) or a function of the decoded request body."""

    def __init__(self):
        self.answers = {}
        self.calls = []    # (method, path, decoded body, headers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                body = json.loads(text) if text else None
                outer.calls.append((self.command, self.path, body, dict(self.headers)))
                answer = outer.answers.get((self.command, self.path))
                if callable(answer):
                    answer = answer(body)
                status, answer = answer or (404, b"<html>no such page</html>")
                if not isinstance(answer, bytes):
                    answer = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = serve

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def sent(self, method, path):
        return [body for m, p, body, _ in self.calls if (m, p) == (method, path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def error(number, reason, message):
    return {"errorCode": number, "reason": reason, "message": message}


def run_on_terminal(*args, answers=(), env=None, signal=None):
    """tsb with a terminal of its own; answers are typed when it asks. Exit code, all that the
    terminal showed, and whether echo was on at the end."""
    primary, secondary = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TSB_")}
    clean.update(env or {})

    def own_terminal():
        fcntl.ioctl(secondary, termios.TIOCSCTTY, 0)
    process = subprocess.Popen([str(build_dir() / "tsb"), *map(str, args)], env=clean,
                               stdin=secondary, stdout=secondary, stderr=secondary,
                               start_new_session=True, preexec_fn=own_terminal)
    shown, answers, quiet_at = b"", list(answers), 0
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([primary], [], [], 0.1)[0]:
            shown += os.read(primary, 65536)
        asked = shown[quiet_at:].rstrip(b" ").endswith((b":", b"[y/N]"))
        if asked and signal:
            process.send_signal(signal)
            signal = None
        elif asked and answers:
            quiet_at = len(shown)
            os.write(primary, answers.pop(0).encode() + b"\n")
    assert process.poll() is not None, "still running: %s" % shown
    while select.select([primary], [], [], 0.1)[0]:
        shown += os.read(primary, 65536)
    echo = bool(termios.tcgetattr(primary)[3] & termios.ECHO)
    os.close(secondary)
    os.close(primary)
    return process.returncode, shown.decode(), echo


class Shell:
    """tsb in a folder of its own with the environment of the site."""

    def __init__(self, site, folder):
        self.folder = folder
        self.env = {k: v for k, v in site.vars.items() if k.startswith("TSB_")}
        for name in ("TSB_TEST_CLOCK", "TSB_TEST_FAULTS"):
            if name in site.environ:
                self.env[name] = site.environ[name]
        self.site = site

    def __call__(self, *args, **options):
        return run(*args, env=self.env, cwd=self.folder, **options)

    def people(self, *names, kind="p256"):
        for name in names:
            self("approver", "new", name, "--type", kind, "--no-passphrase")
        return ",".join(name + ".pub.pem" for name in names)

    def approve(self, name, request, **options):
        return self("approve", "--yes", "-k", name + ".key.pem", "--request", request, **options)
