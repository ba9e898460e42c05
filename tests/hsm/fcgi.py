"""A FastCGI client: one connection and one request at a time, as a web server sends it."""
import socket
import struct

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def _record(kind, content):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def _stream(kind, data):
    chunks = [data[i:i + 65535] for i in range(0, len(data), 65535)]
    return b"".join(_record(kind, chunk) for chunk in chunks) + _record(kind, b"")


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def _params(pairs):
    out = b""
    for name, value in pairs.items():
        name, value = name.encode(), value.encode()
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def call(path, method, target, headers=None, body=b"", timeout=30, content_type="application/json"):
    """Status and body of one request to the unix socket at path."""
    params = {"REQUEST_METHOD": method, "REQUEST_URI": target, "SERVER_PROTOCOL": "HTTP/1.1",
              "QUERY_STRING": target.partition("?")[2], "DOCUMENT_URI": target.partition("?")[0],
              "CONTENT_LENGTH": str(len(body)) if body else "",
              "CONTENT_TYPE": content_type if body else ""}
    for name, value in (headers or {}).items():
        params["HTTP_" + name.upper().replace("-", "_")] = value
    # made before the server begins to wait for it
    request = _record(BEGIN, struct.pack(">HB5x", 1, 0)) + _stream(PARAMS, _params(params)) + \
        _stream(STDIN, body)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(path))
        s.sendall(request)
        reader = s.makefile("rb")
        out = bytearray()
        while True:
            head = reader.read(8)
            if len(head) < 8:
                raise ConnectionError("the worker went away")
            _, kind, _, size, padding, _ = struct.unpack(">BBHHBB", head)
            content = reader.read(size)
            reader.read(padding)
            if kind == STDOUT:
                out += content
            if kind == END:
                break
    head, _, content = bytes(out).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    status = next((int(line.split()[1]) for line in lines if line.startswith("Status:")), 200)
    return status, content
