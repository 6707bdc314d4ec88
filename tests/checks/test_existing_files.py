"""Files as they exist out there pass the checks, with a warning for each thing that is otherwise here."""

from __future__ import annotations

from collections import Counter

from tests.checks.samples import DOCKERFILE, found, place, subject

from cabestan.checks.compose_file import preview, read
from cabestan.compose.findings import NOTHING_WAIVED

#: replicas under names of their own, in a network with a driver from a variable, with variables from a file
REPLICAS = """\
version: '2'
services:
  front1: {image: "acme/front:0.1", container_name: front1, ports: ["5001:3001"], networks: [inner]}
  api1:
    image: acme/api:0.2
    container_name: api1
    ports: ["5011:8894"]
    networks: [inner]
    env_file:
      - docker-compose.env
  main-db:
    image: acme/db:0.1
    networks: [inner]
    environment: {ROLE: "master", SLAVE1: "slave1"}
    hostname: mongodb
    container_name: mongodb
  slave-db: {image: "acme/db:0.1", networks: [inner], hostname: slave1, container_name: slave1, depends_on: [main-db]}
networks:
  inner:
    driver: ${NETWORK_TYPE}
"""
#: for development: sources over what was built, a secret beside, networks, a file of the web server
DEVELOPED = """\
name: shop
services:
  web:
    build: {context: web, target: development}
    volumes: ["./web/src:/code/src", /code/node_modules]
    networks: [front]
  api:
    build: {context: api, args: [NODE_ENV=development]}
    secrets: [db-password]
    networks: [front, back]
  db:
    image: mariadb:10
    user: mysql
    secrets: [db-password]
    volumes: ["db-data:/var/lib/mysql"]
    networks: [back]
  proxy:
    image: nginx
    volumes: [{type: bind, source: ./proxy/nginx.conf, target: /etc/nginx/conf.d/default.conf, read_only: true}]
    networks: [front]
volumes: {db-data: }
secrets: {db-password: {file: db/password.txt}}
networks: {front: {}, back: {}}
"""
STAGES = f"{DOCKERFILE.replace('3.11', '3.11 AS development')}FROM development AS last\n"


def test_a_file_of_replicas_passes_and_its_names_lead_where_they_should() -> None:
    files = {"docker-compose.yml": REPLICAS, "docker-compose.env": "DB=mongodb\n"}
    assert {finding.severity for finding in found(files)} == {"warning"}

    one = subject(files)
    seen = read(one, place(one), NOTHING_WAIVED, None)
    assert seen.compose
    stack = preview(seen.compose, seen.place, one.project)
    assert [service.aliases for service in seen.compose.services] == [(), (), ("mongodb",), ("slave1",)]
    assert stack.networks == ()
    assert stack.document["services"]["api1"]["environment"] == {"DB": "mongodb"}


def test_a_file_for_development_passes_with_what_the_commit_has() -> None:
    files = {
        "docker-compose.yml": DEVELOPED,
        "web/Dockerfile": STAGES,
        "api/Dockerfile": DOCKERFILE,
        "web/src/app.js": "",
        "proxy/nginx.conf": "server {}",
        "db/password.txt": "secret",
    }
    told = Counter(finding.code for finding in found(files) if finding.code[:2] != "DL")
    assert told == {
        "left-out": 1, "mount-left-out": 2, "files-given": 1, "secret-file": 1, "own-networks": 1,
    }  # fmt: skip

    one = subject(files)
    seen = read(one, place(one), NOTHING_WAIVED, None)
    assert seen.compose
    services = preview(seen.compose, seen.place, one.project).document["services"]
    assert {name: sorted(service["networks"]) for name, service in services.items()} == {
        "web": ["own-front"], "api": ["own-back", "own-front"], "db": ["own-back"], "proxy": ["own-front"],
    }  # fmt: skip
    assert [one["target"] for one in services["db"]["configs"]] == ["/run/secrets/db-password"]
