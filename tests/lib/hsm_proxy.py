"""Stands between the broker and the HSM of a private site behind nginx, and loses answers."""
import os
import socket
import socketserver
import threading

PAGE = b"<html><h1>504 Gateway Time-out</h1></html>"
GATEWAY_TIMEOUT = (b"HTTP/1.1 504 Gateway Time-out\r\nContent-Type: text/html\r\n"
                   b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(PAGE)) + PAGE


def read_message(stream):
    """Head and body of one HTTP message, or None at the end of the stream."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head, stream.read(length)


class Proxy:
    """faults: (path, what becomes of the answer) in any order, each used once:
    "drop"  the HSM has done it, the connection ends without an answer
    "504"   the HSM has done it, a front server says that it took too long
    "lose"  the HSM never hears of it
    A function instead is called when the HSM has done it, and then the connection ends."""

    def __init__(self, site):
        self.faults, self.lock = [], threading.Lock()
        self.passed = []      # (path, status) of what reached the HSM
        self.broken = None
        path = str(site.dir / "run" / "hsm-http.sock")
        self.real = path + ".real"
        os.rename(path, self.real)
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    while proxy.serve(self.rfile, self.wfile):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 64
        self.server = Server(path, Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path):
        with self.lock:
            for fault in self.faults:
                if fault[0] == path:
                    self.faults.remove(fault)
                    return fault[1]
        return None

    def serve(self, rfile, wfile):
        """One request; False: the connection is to end."""
        message = read_message(rfile)
        if message is None:
            return False
        path = message[0].split(b" ")[1].decode()
        fault = self.take(path)
        if fault == "lose":
            return False
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.real)
            s.sendall(b"".join(message))
            answer = read_message(s.makefile("rb"))
        if answer is None:
            return False
        with self.lock:
            self.passed.append((path, int(answer[0].split(b" ")[1])))
        if fault is None:
            wfile.write(b"".join(answer))
            return True
        if fault == "504":
            wfile.write(GATEWAY_TIMEOUT)
        elif fault != "drop":
            self.call(fault)
        return False

    def call(self, fault):
        try:
            fault()
        except BaseException as e:  # shown by the test, which a thread cannot fail
            self.broken = e
            raise

    def done(self, path):
        """How often the HSM did it."""
        with self.lock:
            return sum(p == path and status in (200, 201) for p, status in self.passed)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
