"""A page that says where it runs and which commit it is. Only Python's standard library is needed."""

import html
import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

PORT = 8000
ENVIRONMENT = os.environ.get("ENVIRONMENT", "dev")
COMMIT = os.environ.get("COMMIT", "dev")

#: hue of the page's accent: nobody should take staging for production
HUES = {"production": 150, "staging": 35}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello from {environment}</title>
<style>
  :root {{ color-scheme: light dark; --hue: {hue}; }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
         font: 1.1rem/1.6 system-ui, sans-serif; background: hsl(var(--hue) 40% 96%); color: #1c2024; }}
  main {{ padding: 2rem; max-width: 32rem; border-left: .4rem solid hsl(var(--hue) 60% 40%); }}
  h1 {{ margin: 0 0 .5rem; font-size: 2.2rem; line-height: 1.2; }}
  dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 1.5rem 0 0; }}
  dt {{ color: #4d565e; }} dd {{ margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }}
  @media (prefers-color-scheme: dark) {{
    body {{ background: hsl(var(--hue) 20% 10%); color: #eceff1; }} dt {{ color: #a7b0b8; }}
  }}
</style>
</head>
<body>
<main>
  <h1>Hello from {environment}.</h1>
  <p>A commit became an image, a release, and this page. Change a line, push, and watch it arrive.</p>
  <dl>
    <dt>Environment</dt><dd id="environment">{environment}</dd>
    <dt>Commit</dt><dd id="commit">{commit}</dd>
    <dt>Container</dt><dd>{container}</dd>
  </dl>
</main>
</body>
</html>
"""


def page() -> str:
    return PAGE.format(
        environment=html.escape(ENVIRONMENT),
        commit=html.escape(COMMIT),
        container=html.escape(socket.gethostname()),
        hue=HUES.get(ENVIRONMENT, 210),
    )


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    protocol_version = "HTTP/1.1"
    # an idle connection may not keep the application from ending
    timeout = 5

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            self.answer(200, "text/html", page())
        elif path == "/health":
            self.answer(200, "text/plain", "ok\n")
        else:
            self.answer(404, "text/plain", "There is no such page.\n")

    do_HEAD = do_GET

    def answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping:
            # the router then takes its next request elsewhere
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, text: str, *args: object) -> None:
        # the health check comes every few seconds: it is not worth a line
        if self.path != "/health":
            print(self.address_string(), text % args, flush=True)


class Server(ThreadingHTTPServer):
    # requests that are being answered are finished before the process ends
    daemon_threads = False
    request_queue_size = 128
    stopping = False


def serve() -> None:
    server = Server(("", PORT), Handler)

    def stop(number: int, _frame: FrameType | None) -> None:
        print(f"{signal.Signals(number).name}: finishing what is being answered", flush=True)
        server.stopping = True
        # from a thread of its own: shutdown() waits for the loop that this handler interrupts
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"hello: {ENVIRONMENT}, commit {COMMIT}, port {PORT}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    print("hello: bye", flush=True)


def healthy() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if healthy() else 1)
    serve()
