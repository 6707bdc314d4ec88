"""Several Compose files, `extends` and names by `links`, on a real engine."""

from __future__ import annotations

import pytest
from tests.integration.harness import Platform

pytestmark = pytest.mark.integration

APP = """\
import http.server, os, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        peer = os.environ.get("PEER")
        heard = urllib.request.urlopen(peer, timeout=5).read() if peer else b""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["SAYS"].encode() + b" " + heard)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
COMPOSE = """\
version: "2.4"
services:
  app:
    extends: {file: common/base.yml, service: python}
    environment: {SAYS: app, PEER: "http://backend-of-old:8000"}
    links: ["store:backend-of-old"]
    labels:
      traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
      traefik.port: "8000"
  store:
    extends: {file: common/base.yml, service: python}
    environment: [SAYS=store]
"""
BASE = """\
services:
  python:
    image: cabestan/python:3.11
    user: "1001"
    stop_signal: SIGKILL
    command: [python3, /srv/app.py]
    volumes: ["./app.py:/srv/app.py:ro"]
    ports: ["80:8000"]
"""
OVER = "services: {store: {environment: {SAYS: another store}}}\n"


def test_an_environment_runs_what_its_files_say_together(platform: Platform) -> None:
    files = {"common/app.py": APP, "common/base.yml": BASE, "compose.yml": COMPOSE, "over.yml": OVER}
    work = platform.make_project(files)
    work.goes_live()
    assert platform.ask(work.host("staging")).text == "app store "
    environment = f"/projects/{work.name}/environments/staging"
    platform.put(environment, {"compose_files": ["compose.yml", "over.yml"]})
    assert platform.get(environment)["compose_files"] == ["compose.yml", "over.yml"]
    work.files |= {"again": "1"}
    work.goes_live()
    platform.comes_to_say(work.host("staging"), "app another store ")
