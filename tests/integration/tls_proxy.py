"""A proxy of HTTPS on this machine, behind which stands a whole outside: whatever is asked for, it answers itself."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.integration.own_certificate import make_certificate


@dataclass
class TlsProxy:
    """`authority` is a PEM file; `asked` grows by METHOD HOST PATH of each request that came through in TLS."""

    port: int
    authority: Path
    asked: list[str] = field(default_factory=list)


@contextmanager
def tls_proxy(folder: Path, host: str) -> Iterator[TlsProxy]:
    """At all addresses of the machine; it has a certificate for the one host."""
    certificate, key = make_certificate(folder, host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("0.0.0.0", 0), BaseHTTPRequestHandler)
    made = TlsProxy(server.server_address[1], certificate)
    server.RequestHandlerClass = _handler(context, made.asked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(context: ssl.SSLContext, asked: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.request = context.wrap_socket(self.request, server_side=True)
            self.setup()
            self.close_connection = False

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_GET(self) -> None:
            asked.append(f"GET {self.headers['Host']} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"outside")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    Handler.protocol_version = "HTTP/1.1"
    return Handler
