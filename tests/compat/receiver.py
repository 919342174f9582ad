"""An HTTP server that tests are sent to: what it was asked, and what it answers."""
import http.server
import queue
import threading


class Receiver:
    def __init__(self):
        self.got = queue.Queue()
        self.answers = []  # of the next requests: a status, or (status, headers, body)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.got.put((dict(self.headers.items()), body.decode(), self.path, self.command))
                told = outer.answers.pop(0) if outer.answers else 200
                status, headers, text = told if isinstance(told, tuple) else (told, {}, "")
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text.encode())

            do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.url = self.base + "/in"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        headers, body, self.path, self.method = self.got.get(timeout=20)
        return {k.lower(): v for k, v in headers.items()}, body

    def close(self):
        self.server.shutdown()
        self.server.server_close()
