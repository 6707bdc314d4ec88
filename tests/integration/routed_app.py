"""An application that tells what reached it, speaks WebSocket and sends events, and rules of every kind to it."""

import re

APP = r'''
import base64, hashlib, http.server, json, os, threading

GO_ON = threading.Event()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.web_socket()
        if self.path == "/events":
            return self.events()
        if self.path == "/go-on":
            GO_ON.set()
        told = {
            "service": os.environ["NAME"],
            "method": self.command,
            "path": self.path,
            "host": self.headers["Host"],
            "route": self.headers.get("X-Route", ""),
            "authorization": self.headers.get("Authorization", ""),
            "kind": self.headers.get("X-Kind", ""),
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Server-Says", "yes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def events(self):
        """The second one only after somebody has asked for /go-on: so it matters that the first one arrives."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: one\n\n")
        self.wfile.flush()
        GO_ON.wait(30)
        self.wfile.write(b"data: two\n\n")
        self.close_connection = True

    def web_socket(self):
        """Sends back one text, with its own name and path before it."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        size = self.rfile.read(2)[1] & 127
        mask, masked = self.rfile.read(4), self.rfile.read(size)
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))
        said = f"{os.environ['NAME']} {self.path} ".encode() + text
        self.wfile.write(bytes([0x81, len(said)]) + said)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
'''

#: of the password "secret"
HASHES = {
    "apr1": "$apr1$FNdSDLrp$eKzmBozE6MxTRSxsDnfeH/",
    "bcrypt": "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
    "sha": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
}

#: the frontends of one service: name to rule and further labels; D stands for the environment's domain
FRONTENDS: dict[str, tuple[str, dict[str, str]]] = {
    "site": ("Host:D", {"priority": "2"}),
    "sub": ("HostRegexp:{sub:[a-z]+}.D", {}),
    "exact": ("Host:D;Path:/exact,/also/{n:[0-9]{2,3}}", {}),
    "strip": ("Host:D;PathPrefixStrip:/api", {}),
    "one": ("Host:D;PathStrip:/one", {}),
    "version": ("Host:D;PathPrefixStripRegex:/v{n:[0-9]+}", {}),
    "whole": ("Host:D;PathStripRegex:/w{n:[0-9]+}", {}),
    "add": ("Host:D;PathPrefix:/add;AddPrefix:/in", {}),
    "old": ("Host:D;Path:/old;ReplacePath:/new", {}),
    "from": ("Host:D;PathPrefix:/from;ReplacePathRegex: ^/from/(.*) /to/$1", {}),
    "kind": ("Host:D;Headers:X-Kind,a", {}),
    "agent": ("Host:D;HeadersRegexp:X-Agent,^(bot|crawler)", {}),
    "put": ("Host:D;Method:PUT", {}),
    "query": ("Host:D;Query:kind=b,n={n:[0-9]+},z=", {}),
    "own": ("PathPrefix:/own", {}),
    **{
        name: (f"Host:D;PathPrefix:/{name}", {"auth.basic": f"ann:{digest}", "auth.basic.removeHeader": "true"})
        for name, digest in HASHES.items()
    },
    "gone": (
        "Host:D;PathPrefix:/gone",
        {"redirect.regex": "^(https?)://[^/]+/gone(.*)", "redirect.replacement": "$1://new.example.org$2"},
    ),
    "safe": (
        "Host:D;PathPrefix:/safe",
        {
            "headers.frameDeny": "true",
            "headers.contentTypeNosniff": "true",
            "headers.referrerPolicy": "no-referrer",
            "headers.contentSecurityPolicy": "default-src 'self'; img-src *",
            "headers.STSSeconds": "60",
            "headers.forceSTSHeader": "true",
            "headers.customResponseHeaders": "Server-Says:||X-More:a:b",
        },
    ),
    "bare": ("Host:D;PathPrefix:/bare", {"passHostHeader": "false"}),
    "ban": ("Host:D;PathPrefix:/ban", {"whiteList.sourceRange": "192.0.2.0/24"}),
}

#: in the words of Traefik 2 and 3; the middlewares are another service's
LATER = {
    "traefik.http.routers.api.rule": (
        "Host(`later.D`) && (PathPrefix(`/a`) || Path(`/b/{id:[0-9]+}`)) && !Method(`PUT`)"
    ),
    "traefik.http.routers.api.middlewares": "all",
    "traefik.http.routers.api.service": "main",
    "traefik.http.routers.any.rule": "HostRegexp(`{sub:[a-z]+}.later.D`) && Headers(`X-Kind`, `a`)",
    "traefik.http.routers.any.service": "main",
    "traefik.http.routers.any.priority": "7",
    "traefik.http.services.main.loadbalancer.server.port": "8000",
}
SHARED = {
    "traefik.http.middlewares.all.chain.middlewares": "cut,mark",
    "traefik.http.middlewares.cut.stripprefix.prefixes": "/a",
    "traefik.http.middlewares.mark.headers.customrequestheaders.X-Route": "later-api",
}


def _labels() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, (rule, more) in FRONTENDS.items():
        found[f"traefik.{name}.frontend.rule"] = rule
        found |= {f"traefik.{name}.frontend.{label}": value for label, value in more.items()}
        found[f"traefik.{name}.frontend.headers.customRequestHeaders"] = f"X-Route:{name}"
    return found


def _service(name: str, labels: dict[str, str]) -> str:
    lines = [f"  {name}:", "    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}", "    expose: [8000]"]
    lines += ["    environment:", f"      NAME: {name}", "    labels:"]
    for label, value in labels.items():
        domain = "${CI_ENVIRONMENT_DOMAIN}"
        text = re.sub(r"(?<![A-Za-z])D(?![A-Za-z])", domain, value.replace("$", "$$").replace("'", "''"))
        lines.append(f"      {label}: '{text}'")
    return "\n".join(lines) + "\n"


COMPOSE = "services:\n" + "".join(
    (
        _service("web", _labels()),
        _service("ws", {"traefik.frontend.rule": "Host:D;PathPrefix:/ws/", "traefik.frontend.priority": "1"}),
        _service("later", LATER),
        _service("shared", {**SHARED, "traefik.enable": "false"}),
    )
)
