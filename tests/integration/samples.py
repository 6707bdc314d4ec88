"""Tiny projects that the integration tests push."""

from collections.abc import Mapping

APP = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["SAYS"].encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""

DOCKERFILE = """\
FROM cabestan/python:3.11
COPY app.py ./
USER 1001
STOPSIGNAL SIGKILL
CMD ["python3", "app.py"]
"""

COMPOSE = """\
services:
  app:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    expose: [8000]
    environment:
      SAYS: one ${CI_ENVIRONMENT_NAME} ${CI_COMMIT_SHA}
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
"""

SMALL = {"app.py": APP, "Dockerfile": DOCKERFILE, "docker-compose.yml": COMPOSE}


_IMAGE = "    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}\n"
#: what stands for a build's image where the test is not about builds
_BASE = """\
    image: {image}
    user: "1001"
    working_dir: /home/app
    stop_signal: SIGKILL
"""
#: for the first service, which runs a file of the commit
_APP = """\
    command: [python3, app.py]
    volumes: ["./app.py:/home/app/app.py:ro"]
"""


def unbuilt(files: Mapping[str, str] = SMALL, apps: int = 1, image: str = "cabestan/python:3.11") -> dict[str, str]:
    """The same without a Dockerfile: seconds less for each push. The first `apps` services run `app.py`."""
    base = _BASE.format(image=image)
    compose = files["docker-compose.yml"].replace(_IMAGE, base + _APP, apps).replace(_IMAGE, base)
    kept = {name: text for name, text in files.items() if name != "Dockerfile"}
    return kept | {"docker-compose.yml": compose}


def counting(lines: int, seconds: float, nonce: str) -> dict[str, str]:
    """A project whose build prints numbered lines, for as long; built anew for each nonce."""
    pause = seconds / max(1, lines // 50)
    count = (
        f"RUN echo {nonce} && for i in $(seq {lines}); do echo counting $i; "
        f"[ $((i % 50)) -ne 0 ] || sleep {pause:.3f}; done\n"
    )
    return SMALL | {"Dockerfile": DOCKERFILE.replace("USER", count + "USER")}


def counted(log: str) -> list[int]:
    """The numbers that such a build printed, in the order of the log."""
    lines = (line.partition(" counting ") for line in log.splitlines() if line.startswith("#"))
    return [int(number) for _, found, number in lines if found and number.isdigit()]
