#!/usr/bin/python3
"""Minimal FastCGI client: one request over a unix socket, without a web server in between.

As a program: fcgi_call.py SOCKET METHOD URI [NAME=VALUE...] <body; prints head and body of the answer.
"""
import json
import socket
import struct
import sys

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7


def record(kind, data=b""):
    return struct.pack(">BBHHBx", 1, kind, 1, len(data), 0) + data


def stream(kind, data):
    """Records of at most 32 KiB, and the empty one that ends the stream."""
    parts = [record(kind, data[i:i + 32768]) for i in range(0, len(data), 32768)]
    return b"".join(parts) + record(kind)


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def params(variables):
    out = b""
    for name, value in variables.items():
        name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
        out += length(len(name)) + length(len(value)) + name + value
    return out


def request(variables, body=b"", keep=False):
    """The bytes of a whole request."""
    begin = struct.pack(">HB5x", 1, int(keep))
    return record(BEGIN, begin) + stream(PARAMS, params(variables)) + stream(STDIN, body)


class Answer:
    """status 0: the connection ended before the request did."""

    def __init__(self, raw):
        out, self.ended = b"", False
        while len(raw) >= 8:
            kind, size, padding = raw[1], *struct.unpack(">HB", raw[4:7])
            if kind == STDOUT:
                out += raw[8:8 + size]
            self.ended = self.ended or kind == END
            raw = raw[8 + size + padding:]
        head, _, self.body = out.partition(b"\r\n\r\n")
        self.headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.status = int(self.headers.get("Status", "0").split()[0]) if self.ended else 0

    def json(self):
        return json.loads(self.body)


def connect(path, timeout=30):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(str(path))
    return s


def receive(s):
    raw = b""
    try:
        while part := s.recv(65536):
            raw += part
    except ConnectionResetError:
        pass
    return Answer(raw)


def call(path, method, uri, body=b"", apikey=None, **variables):
    """variables: further FastCGI parameters; None takes a usual one away."""
    env = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "CONTENT_LENGTH": str(len(body)),
           "CONTENT_TYPE": "application/json", "SERVER_PROTOCOL": "HTTP/1.1"}
    if apikey is not None:
        env["HTTP_X_API_KEY"] = apikey
    env.update(variables)
    with connect(path) as s:
        try:
            s.sendall(request({k: v for k, v in env.items() if v is not None}, body))
        except BrokenPipeError:
            pass
        return receive(s)


def main():
    path, method, uri, *rest = sys.argv[1:]
    body = b"" if sys.stdin.isatty() else sys.stdin.buffer.read()
    answer = call(path, method, uri, body, **dict(word.split("=", 1) for word in rest))
    for name, value in answer.headers.items():
        print("%s: %s" % (name, value))
    print()
    sys.stdout.flush()
    sys.stdout.buffer.write(answer.body)
    return 0 if answer.ended else 1


if __name__ == "__main__":
    sys.exit(main())
