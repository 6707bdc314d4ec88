"""A Compose file as people have it, on a real engine: stages, networks, further names, files of the commit."""

from __future__ import annotations

import pytest
from tests.integration.harness import Platform

pytestmark = pytest.mark.integration

APP = """\
import http.server, os, urllib.request
def heard(peer):
    try:
        return urllib.request.urlopen(peer, timeout=3).read().decode()
    except OSError:
        return "nobody"
def text(path):
    return open(path).read() if os.path.exists(path) else ""
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = [os.environ["SAYS"], os.uname().nodename if "PEERS" in os.environ else ""]
        said += [text("/srv/page.txt"), text("/run/secrets/pass-word"), text("/stage")]
        said += [heard(peer) for peer in os.environ.get("PEERS", "").split()]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(" ".join(filter(None, said)).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
DOCKERFILE = """\
FROM cabestan/python:3.11 AS production
ARG MODE=none
COPY app.py ./
RUN echo -n "$MODE" > /stage
USER 1001
STOPSIGNAL SIGKILL
CMD ["python3", "app.py"]
FROM production AS development
RUN echo never
"""
COMPOSE = """\
services:
  web:
    build: &build {context: ., target: production, args: {MODE: staged}}
    expose: [8000]
    hostname: front-host
    env_file: web.env
    secrets: [pass-word]
    volumes: ["./page.txt:/srv/page.txt"]
    networks: [front]
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  api:
    build: *build
    container_name: shop-api
    environment: {SAYS: api}
    networks: [front, back]
  store:
    build: *build
    environment: {SAYS: store}
    networks: [back]
networks: {front: {}, back: {internal: true}}
secrets: {pass-word: {file: password.txt}}
"""
FILES = {
    "app.py": APP,
    "Dockerfile": DOCKERFILE,
    "docker-compose.yml": COMPOSE,
    "web.env": "SAYS=web\nPEERS='http://shop-api:8000 http://store:8000'\n",
    "page.txt": "a $page",
    "password.txt": "opensesame",
}


def test_a_file_of_a_developer_is_deployed_as_it_is(platform: Platform) -> None:
    work = platform.make_project(FILES)
    work.goes_live()
    said = platform.ask(work.host("staging")).text
    assert said == "web front-host a $page opensesame staged api staged nobody"
