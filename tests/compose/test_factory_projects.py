"""Files as the specification of factory projects shows them are read as they are."""

from __future__ import annotations

import pytest

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.library import SourceFile
from cabestan.compose.load import Loaded, load_files
from cabestan.compose.model import Dependency, Mount, Ports, Restart, Service
from cabestan.compose.nodes import Spot
from cabestan.compose.routing import routes

SOMEWHERE = Spot(1, 1, "")
VARIABLES = {
    "CI_REGISTRY_IMAGE": "registry/hello",
    "CI_COMMIT_SHA": "c0ffee",
    "CI_ENVIRONMENT_NAME": "staging",
    "CI_ENVIRONMENT_DOMAIN": "staging.example.org",
    "MYSQL_DATABASE": "shop",
    "MYSQL_USER": "shop",
    "MYSQL_PASSWORD": "given",
}
IMAGE = "registry/hello/app:c0ffee"
ROUTE = {
    "traefik.frontend.rule": "Host:staging.example.org",
    "traefik.enable": "true",
    "traefik.tags": "web",
}
APP = """\
# this file is good to go for production
version: "3"

services:

    # we define a &web_service yaml alias to "duplicate" this service later
    app: &web_service
        # use our image
        image: ${CI_REGISTRY_IMAGE}/app:${CI_COMMIT_SHA}
        # expose our server port
        expose: [9000]
        # define some env vars available to our container
        environment:
            ENV: ${CI_ENVIRONMENT_NAME}
        labels:
            # traefik configuration
            traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
            traefik.enable: 'true'
            traefik.tags: web
"""
NO_PORTS = """\
services:
    web:
        image: bearstech/nginx
        labels:
            traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
            traefik.frontend.priority: '2'

    ws:
        image: bearstech/node
        labels:
            traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN};PathPrefix:/ws/
            traefik.frontend.priority: '1'
"""
PASSWORD = """\
services:
    web:
        image: bearstech/nginx
        labels:
            traefik.frontend.rule: Host:${CI_ENVIRONMENT_DOMAIN}
            traefik.frontend.auth.basic: >
                bob:$$apr1$$FNdSDLrp$$TAXy/4ZjKQtNCupEyQ4tl1
"""
MIGRATION = """
    migrate_db:
        <<: *web_service
        # migrate script
        command: ./migrate.sh
        # do not restart on failure
        restart: "no"
        # overrides labels. we do not want to route this service
        labels: []
"""
MYSQL = """
    # mysql database service
    mysql:
        image: mariadb:10.1
        environment:
            MYSQL_ROOT_PASSWORD: ${MYSQL_PASSWORD}
            MYSQL_DATABASE: ${MYSQL_DATABASE}
    worker:
        image: ${CI_REGISTRY_IMAGE}/app:${CI_COMMIT_SHA}
        links:
            # link this container to the mysql service
            - mysql
        environment:
            MYSQL_USER: ${MYSQL_USER}
        read_only: false
        tty: false
        logging: {}
        volumes:
        - ./data:/data
"""
TOOLS = """\
version: "3"

services:
    traefik:
        image: traefik-dev:latest
        volumes:
            - /var/run/docker.sock:/var/run/docker.sock
        ports:
            - "${TRAEFIK_UI_PORT:-8080}:8080"
            - "${TRAEFIK_HTTP_PORT:-80}:80"
"""


def _load(*texts: str) -> Loaded:
    return load_files([SourceFile(f"{number}.yml", text) for number, text in enumerate(texts)], VARIABLES)


def test_an_application_with_a_migration() -> None:
    common = {"expose": (Ports(9000, 9000),), "environment": {"ENV": "staging"}}

    assert _load(APP + MIGRATION).compose.services == (
        Service("app", IMAGE, SOMEWHERE, labels=ROUTE, **common),
        Service("migrate_db", IMAGE, SOMEWHERE, command=("./migrate.sh",), restart=Restart("none"), **common),
    )


def test_an_application_with_a_database() -> None:
    worker = _load(APP + MYSQL).compose.service("worker")

    assert worker == Service(
        "worker",
        IMAGE,
        SOMEWHERE,
        environment={"MYSQL_USER": "shop"},
        depends_on=(Dependency("mysql", SOMEWHERE),),
        read_only=False,
        tty=False,
        mounts=(Mount("data", "/data", SOMEWHERE),),
    )


def test_the_tools_of_development_are_refused_where_they_stand() -> None:
    with pytest.raises(ComposeRefused) as refused:
        _load(APP, TOOLS)

    assert [(f.code, f.severity, f.file, f.line) for f in refused.value.findings] == [
        ("no-socket", "error", "1.yml", 7),
        ("ports-deprecated", "warning", "1.yml", 8),
    ]


def test_a_web_socket_goes_before_the_wider_rule_and_each_to_the_port_of_its_image() -> None:
    """The specification gives `ws` the lower number, and says that it goes first for /ws/."""
    declared = {"bearstech/nginx": (8000,), "bearstech/node": (3000,)}
    web, ws = routes(_load(NO_PORTS).compose.with_ports(declared))
    assert (web.port, ws.port) == (8000, 3000)
    assert ws.priority > web.priority
    assert [warning.code for warning in _load(NO_PORTS).warnings] == ["route-hidden"]


def test_a_password_is_asked_for_as_the_specification_writes_it() -> None:
    (route,) = routes(_load(PASSWORD).compose.with_ports({"bearstech/nginx": (8000,)}))
    assert route.port == 8000
    assert [(step.kind, dict(step.options)["users"]) for step in route.middlewares] == [
        ("basicauth", "bob:$apr1$FNdSDLrp$TAXy/4ZjKQtNCupEyQ4tl1")
    ]
