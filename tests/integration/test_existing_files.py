"""A Compose file as people have it, on a real engine: stages, networks, further names, files of the commit."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import pytest
from tests.integration.harness import Platform, said_inside

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


STAND_IN = """\
FROM cabestan/python:3.11
USER 1001
STOPSIGNAL SIGKILL
CMD ["sleep", "3600"]
"""
#: the replica set, the pairs behind it and the tools of a team that names its containers itself
CLUSTER = """\
version: '2'
services:
  api1: &api
    image: {registry}/team/api:0.2
    container_name: api1
    ports: ["50011:8894"]
    networks: [team]
    env_file: [team.env]
  api2: {{<<: *api, container_name: api2, ports: ["50012:8894"]}}
  shop1: {{<<: *api, image: "{registry}/team/shop:0.1", container_name: shop1, ports: ["50001:3001"]}}
  shop2: {{<<: *api, image: "{registry}/team/shop:0.1", container_name: shop2, ports: ["50002:3001"]}}
  store-master: &store
    image: {registry}/team/store:0.1
    networks: [team]
    environment: {{ROLE: master, OTHERS: "slave1 slave2"}}
    hostname: store
    container_name: store
  store-slave1: {{<<: *store, environment: {{}}, hostname: slave1, container_name: slave1, depends_on: [store-master]}}
  store-slave2: {{<<: *store, environment: {{}}, hostname: slave2, container_name: slave2, depends_on: [store-master]}}
  tools:
    <<: *api
    image: {registry}/team/tools:0.1
    container_name: tools
    depends_on: [store-master, store-slave1, store-slave2, api1, api2]
networks:
  team:
    driver: ${{NETWORK_TYPE}}
"""


@pytest.fixture
def registry(platform: Platform) -> Iterator[str]:
    """Nobody answers there: the engine alone has the images, as a team's own machine would."""
    address = f"{uuid.uuid4().hex[:8]}.invalid"
    images = platform.client.images
    made, _ = images.build(fileobj=io.BytesIO(STAND_IN.encode()), rm=True)
    tags = [f"{address}/team/{name}" for name in ("api:0.2", "shop:0.1", "store:0.1", "tools:0.1")]
    for tag in tags:
        assert made.tag(tag)
    yield address
    for tag in tags:
        images.remove(tag, force=True)


def test_a_file_that_names_containers_hosts_and_a_network_is_deployed_as_it_is(
    platform: Platform, registry: str
) -> None:
    files = {"docker-compose.yml": CLUSTER.format(registry=registry), "team.env": "STORE=store:27017\n"}
    work = platform.make_project(files)
    platform.put(f"/projects/{work.name}/variables/NETWORK_TYPE", {"value": "overlay"})
    work.goes_live()
    label = {"label": [f"cabestan.project={work.name}", "cabestan.environment=staging"]}
    running = {
        one.labels["com.docker.swarm.service.name"]: one for one in platform.client.containers.list(filters=label)
    }
    assert len(running) == 8
    tools = next(one for name, one in running.items() if name.endswith("_tools"))
    names = ("api1", "api2", "shop1", "shop2", "store", "slave1", "slave2", "store-master")
    assert [name for name in names if not said_inside(tools, "getent", "hosts", name)] == []
    assert said_inside(tools, "printenv", "STORE") == "store:27017"
    master = next(one for name, one in running.items() if name.endswith("_store-master"))
    assert said_inside(master, "hostname") == "store"
