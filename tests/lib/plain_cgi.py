"""tsb-fcgi as a web server starts it that knows plain CGI only: one request, one process."""
import json
import subprocess


class Cgi:
    """Runs the program as RFC 3875 says."""

    def __init__(self, site, api, settings=None):
        self.site, self.api = site, api
        self.settings = settings or site.dir / "tsb.conf"

    def __call__(self, method, path, body=None, role=None, query="", length=None, arguments=()):
        data = b"" if body is None else json.dumps(body).encode()
        env = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method, "SCRIPT_NAME": "",
               "PATH_INFO": path, "REQUEST_URI": path + ("?" + query if query else ""),
               "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
               "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1", "PATH": "/usr/bin:/bin",
               "HTTP_X_API_KEY": self.api.tokens.get(role or self.api.role_of(path), role or ""),
               "TSB_TEST_CLOCK": str(self.site.clock_file),
               "TSB_CONF": str(self.settings)}
        if body is not None or length is not None:
            env["CONTENT_LENGTH"] = str(len(data) if length is None else length)
            env["CONTENT_TYPE"] = "application/json"
        done = subprocess.run([str(self.site.build / "tsb-fcgi"), *arguments], input=data, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.get("Status", "200").split()[0])
        return status, headers, content
