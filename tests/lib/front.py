"""A front server between the broker and its HSM that does to calls what a test says."""
import http.client
import http.server
import threading
from urllib.parse import urlsplit


class Call:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.label = self.done = None

    def forward(self, target):
        """The HSM's own answer: (status, content type, body)."""
        connection = http.client.HTTPConnection(target, timeout=60)
        try:
            connection.request(self.method, self.path, self.body or None, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        finally:
            connection.close()


class Front:
    """rule(call): what is answered, as (status, content type, body); None = what the HSM says; DROP =
    the connection breaks without an answer."""
    DROP = object()

    def __init__(self):
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(self.command, self.path, headers, body)
                with front.lock:
                    front.calls.append(call)
                said = front.rule(call)
                if said is None:
                    said = call.forward(front.target)
                if said is Front.DROP:
                    self.close_connection = True
                    return
                status, kind, body = said
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass    # the broker gave up waiting

        self.lock, self.calls = threading.Lock(), []
        self.rule = lambda call: None
        self.target = None
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def behind(self, site):
        self.target = urlsplit(site.vars["TSB_HSM_URL"]).netloc

    def count(self, path):
        with self.lock:
            return sum(call.path == path for call in self.calls)

    def reset(self):
        self.rule = lambda call: None
        with self.lock:
            self.calls.clear()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
