"""Compose files, from text to rendered stack: no engine and no server take part."""

import time
from collections.abc import Callable
from statistics import median

from bench.figures import Figure
from bench.instance import Instance
from cabestan.compose.load import load
from cabestan.compose.render import StackContext, render

LIMIT_MS = 50
SERVICES = 50
ROUNDS = 41
FILES = 1000
_SERVICES_OF_A_FILE = 5
_DIGEST = "127.0.0.1:5600/shop/api@sha256:" + "ab" * 32
_VARIABLES = {
    "CI_REGISTRY_IMAGE": "127.0.0.1:5600/shop/api",
    "CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
    "CI_ENVIRONMENT_NAME": "production",
    "CI_ENVIRONMENT_DOMAIN": "shop.example.org",
}
_SERVICE = """\
  {name}:
    <<: *defaults
    image: ${{CI_REGISTRY_IMAGE}}:${{CI_COMMIT_SHA}}
    command: ["python3", "-m", "server", "--number={number}", "--bind=0.0.0.0"]
    expose: [9000]
    environment:
      ENV: ${{CI_ENVIRONMENT_NAME}}
      LEVEL: ${{LEVEL:-info}}
      PEER: http://{before}:9000/?number={number}
      WORKERS: {number}
    depends_on: [{before}]
    volumes: ["data:/data"]
    healthcheck:
      test: [CMD, curl, --fail, "http://localhost:9000/"]
      interval: 5s
    labels:
      traefik.frontend.rule: Host:{name}.${{CI_ENVIRONMENT_DOMAIN}}
      traefik.enable: "true"
      traefik.tags: web
"""
_HEAD = """\
x-defaults: &defaults
  restart: always
  stop_grace_period: 20s
  deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 50M}}}
services:
  first: {<<: *defaults, image: "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"}
"""


def measure(_instance: Instance) -> list[Figure]:
    """The median of one large file, and the rate for many small ones."""
    text = compose_file(SERVICES, 0)
    context = _context()

    def rendered() -> None:
        render(load(text, "docker-compose.yml", _VARIABLES).compose, context).to_yaml()

    wall, own = _median_ms(rendered, time.perf_counter), _median_ms(rendered, time.process_time)
    small = [compose_file(_SERVICES_OF_A_FILE, number) for number in range(FILES)]
    began = time.perf_counter()
    for file in small:
        load(file, "docker-compose.yml", _VARIABLES)
    rate = FILES / (time.perf_counter() - began)
    note = f"parse, check, render and write; median of {ROUNDS} rounds; {own:.1f} ms of processor time"
    size = f"{FILES:,} different files of {_SERVICES_OF_A_FILE} services, one after the other, on one core"
    return [
        Figure(f"a Compose file of {SERVICES} services", wall, "ms", limit=LIMIT_MS, note=note),
        Figure(f"checking {FILES:,} Compose files", rate, "files/s", note=size),
    ]


def compose_file(services: int, number: int) -> str:
    """A file of so many services, nearly all with most of the keys that are customary."""
    names = ["first", *(f"web{number + index}" for index in range(services - 1))]
    bodies = (
        _SERVICE.format(name=name, before=names[index], number=number + index) for index, name in enumerate(names[1:])
    )
    return f"{_HEAD}{''.join(bodies)}volumes: {{data: {{}}}}\n"


def _median_ms(run: Callable[[], None], clock: Callable[[], float]) -> float:
    run()
    times = []
    for _ in range(ROUNDS):
        began = clock()
        run()
        times.append(clock() - began)
    return median(times) * 1000


def _context() -> StackContext:
    image = f"{_VARIABLES['CI_REGISTRY_IMAGE']}:{_VARIABLES['CI_COMMIT_SHA']}"
    return StackContext(
        stack="cabestan-shop-api-production",
        network="cabestan-shop-api-production-net",
        instance="cabestan",
        project="shop/api",
        environment="production",
        release=1,
        images={image: _DIGEST},
    )
