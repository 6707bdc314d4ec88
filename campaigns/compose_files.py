"""Fuzzed Compose files through checks, reading and rendering; some that are taken through Docker's own reader."""

import hashlib
import os
import random
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from cabestan.checks.check import check
from cabestan.checks.subject import Place
from cabestan.checks.subject import Subject as Commit
from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.library import SourceFile
from cabestan.compose.load import Loaded, load_files
from cabestan.compose.render import StackContext, render
from cabestan.compose.stack import Stack
from cabestan.errors import Invalid
from campaigns.fuzzing import Seen, Subject
from campaigns.texts import NASTY, mutated

_FILE = "docker-compose.yml"
_SECONDS = 5
#: of the files that are taken, one in so many is shown to Docker: its reader is a process
_SHOWN_TO_DOCKER = 100
_ROOT = Path(__file__).parent.parent
_DIGEST = "@sha256:" + "ab" * 32
VARIABLES = {
    "CI_REGISTRY_IMAGE": "127.0.0.1:5600/shop/api",
    "CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
    "CI_ENVIRONMENT_DOMAIN": "staging-api-shop.localhost",
    "CI_ENVIRONMENT_NAME": "staging",
    "A": "a",
    "PORT": "8000",
}
_WORDS = (
    "web", "db", "data", "app", "a", "8000", "80:80", "1m", "0.5", "2", "true", "always", '"no"', "unless-stopped",
    "./x:/y", "data:/data", "/var/run/docker.sock:/x", "CMD-SHELL true", "Host:a.localhost",
    "Host(`a.b`) && PathPrefix(`/x`)", "10 * * * *", "service_healthy", "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}",
    "${A}", "${PORT:-80}", "start-first", "node.role == manager", "KEY=value",
)  # fmt: skip
_KEYS = (
    "image", "build", "command", "entrypoint", "environment", "env_file", "expose", "ports", "volumes", "networks",
    "labels", "deploy", "healthcheck", "depends_on", "restart", "secrets", "configs", "logging", "user",
    "working_dir", "hostname", "container_name", "tmpfs", "cap_add", "privileged", "extends", "links", "profiles",
    "stop_grace_period", "ulimits", "sysctls", "extra_hosts", "tty", "init", "test", "interval", "retries",
    "replicas", "resources", "limits", "cpus", "memory", "update_config", "order", "condition", "type", "source",
    "target", "read_only", "driver", "options", "external", "name", "context", "dockerfile", "args", "file",
    "service", "x-a", "traefik.frontend.rule", "traefik.port", "traefik.enable", "traefik.http.routers.a.rule",
    "sh.factory.cronjob.schedule", "sh.factory.cronjob.command", "max-size", "web", "db", "data", "A",
)  # fmt: skip
_TOP = ("services", "volumes", "networks", "secrets", "configs", "version", "name", "include", "x-a")
_MORE = (
    "x-a: &a {tty: true}\n"
    "services:\n  web: {<<: *a, image: i, expose: [80]}\n  b: {extends: {service: web}, image: j}\n",
    "version: '3.8'\n"
    "services:\n  web:\n    image: i\n    depends_on: {db: {condition: service_healthy}}\n    volumes:\n"
    "      - {type: volume, source: data, target: /x, read_only: true}\n"
    "    healthcheck: {test: [CMD, a], interval: 5s}\n"
    "    deploy: {replicas: 2, resources: {limits: {cpus: '0.5', memory: 50M}}}\n"
    "  db: {image: j}\nvolumes: {data: {}}\n",
)  # fmt: skip
#: good ones, to begin with
SEEDS = (*(file.read_text() for file in sorted(_ROOT.glob("examples/*/*compose*.yml"))), *_MORE)


def make(rng: random.Random) -> str:
    """A changed good one, or one made of keys and values at random, which may be changed too."""
    if rng.random() < 0.6:
        return mutated(rng, SEEDS)
    text = _grown(rng)
    return mutated(rng, (text, *SEEDS)) if rng.random() < 0.3 else text


def _grown(rng: random.Random) -> str:
    services = {
        name: {"image": "i"} | _table(rng, 2) for name in rng.sample(["web", "db", "app", "a"], rng.randint(1, 3))
    }
    document = {"services": services} | {key: _value(rng, 2) for key in rng.sample(_TOP[1:], rng.randint(0, 2))}
    return str(yaml.safe_dump(document, default_flow_style=rng.choice([None, False, True]), allow_unicode=True))


def _table(rng: random.Random, depth: int) -> dict[str, object]:
    return {rng.choice(_KEYS): _value(rng, depth) for _ in range(rng.randint(0, 4))}


def _value(rng: random.Random, depth: int) -> object:
    kind = rng.random()
    if depth and kind < 0.3:
        return _table(rng, depth - 1)
    if depth and kind < 0.5:
        return [_value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    plain = (rng.randint(-1, 100), rng.random(), True, None, rng.choice(NASTY).encode("utf-8", "replace").decode())
    return rng.choice([rng.choice(_WORDS), rng.choice(_WORDS), rng.choice(plain)])


def examine(text: str) -> Seen:
    findings = check(_commit(text), [Place("staging", VARIABLES)])
    if problem := _wanting(findings):
        return Seen(False, problem)
    try:
        loaded = load_files([SourceFile(_FILE, text)], VARIABLES)
    except ComposeRefused as refused:
        return Seen(False, _wanting(refused.findings) or _silent(findings))
    except Invalid as error:
        return Seen(False, "" if error.remedy else f"a refusal without remedy: {error}")
    return Seen(True, _rendered(loaded))


def _commit(text: str) -> Commit:
    return Commit("shop/api", "0" * 40, "main", "127.0.0.1:5600", Tree(frozenset({_FILE})), lambda _: text, ((_FILE,),))


def _wanting(findings: tuple[Finding, ...]) -> str:
    for found in findings:
        if not (found.line >= 1 and found.column >= 0 and found.code and found.message):
            return f"a finding without line: {found!r}"
        if not found.remedy:
            return f"a finding without remedy ({found.code}): {found!r}"
    return ""


def _silent(findings: tuple[Finding, ...]) -> str:
    """What a deployment refuses, the checks must have told."""
    return "" if any(found.severity == "error" for found in findings) else "the checks do not tell what is refused"


def _rendered(loaded: Loaded) -> str:
    try:
        stack = render(loaded.compose, _context(loaded))
    except ComposeRefused as refused:
        return _wanting(refused.findings)
    document = stack.to_yaml()
    if Stack.from_yaml(document).to_yaml() != document:
        return "a stack that reads back as another one"
    chosen = int(hashlib.sha256(document.encode("utf-8", "replace")).hexdigest(), 16) % _SHOWN_TO_DOCKER == 0
    return of_docker(document) if chosen else ""


def _context(loaded: Loaded) -> StackContext:
    images = {service.image: re.sub(r"[@:][^/]*$", "", service.image) + _DIGEST for service in loaded.compose.services}
    return StackContext(
        stack="camp-1-shop-api-staging",
        network="camp-1-shop-api-staging-net",
        instance="camp",
        project="shop/api",
        environment="staging",
        release=1,
        images=images,
        domain=VARIABLES["CI_ENVIRONMENT_DOMAIN"],
        secret_files={name: f"camp-{name}" for name in loaded.compose.secret_files},
    )


def of_docker(document: str) -> str:
    """The client alone: no engine is asked."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(document)
        file.flush()
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": "tcp://127.0.0.1:1"}
        command = ["docker", "stack", "config", "-c", file.name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    return f"Docker refuses what was rendered: {done.stderr}" if done.returncode else ""


SUBJECT = Subject("compose", make, examine, _SECONDS)
