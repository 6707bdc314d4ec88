"""The reader and Docker's own one, side by side: what `docker stack config` makes of a file, and of ours of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.compose.engine_client import read_stack, stack_config
from tests.compose.samples import context

from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.render import render

VARIABLES = {"NAME": "web", "EMPTY": "", "PORT": "8080", "DOLLAR": "a$b", "BRACE": "}", "YES": "true", "NUMBER": "3"}
#: what reaches the engine under the same key
_SAME = (
    *("command", "entrypoint", "environment", "extra_hosts", "healthcheck", "init", "read_only", "stdin_open"),
    *("tty", "stop_grace_period", "stop_signal", "user", "working_dir"),
)
_OTHERS = "  b: {image: i}\n  c: {image: i}\n"

FORMS = [
    "command: run me 'as one' \"or two\" a\\ b",
    "command: [run, 'a b', '']",
    "command: []",
    "command: sh -c 'echo \"$$HOME\" && exit 0'",
    "command: >\n  run\n  --long",
    "command: |\n  run\n  --long\n",
    "command: run # not this\nentrypoint: [sh]",
    "entrypoint: /bin/sh -e",
    "entrypoint: ['/bin/sh', -e]\ncommand: [a]",
    "entrypoint: ''",
    "environment: {A: b, B: '', C: , D: 1, E: 1.50, F: 017, G: 0x1F, H: 1e6, I: 1_000, J: 0o17}",
    "environment: {A: 'yes', B: yes, C: on, D: '1', E: '~', F: ~, G: null}",
    "environment: {NAME: , MISSING: }",
    "environment: [A=b, B=, NAME, MISSING, 'C=d=e', 'D= x ']",
    "environment: [A=1, A=2]",
    "environment:\n  - A=$NAME\n  - B=${NAME}\n  - C=$$NAME\n  - D=$${NAME}",
    "environment:\n  A: ${MISSING:-d}\n  B: ${MISSING-d}\n  C: ${EMPTY:-d}\n  D: ${EMPTY-d}\n  E: ${NAME:-d}",
    "environment:\n  A: ${NAME:?m}\n  B: ${NAME?m}\n  C: ${EMPTY?m}",
    "environment:\n  A: ${MISSING:-}\n  B: x${MISSING-}y\n  C: ${MISSING:-a b:c-d?e}\n  D: '${MISSING:-\"q\"}'",
    "environment:\n  A: $NAME$PORT\n  B: $NAME.$PORT/x\n  C: ${NAME}s\n  D: pre-$NAME.post\n  E: $DOLLAR",
    "environment: {A: '$BRACE', B: '${NAME-d}'}",
    "environment:\n  A: 'it''s'\n  B: \"tab\\tnew\\nline \\u00e9\"\n  C: é\n  D: 日本\n  E: '#no'\n  F: a#b\n  G: a #b",
    "environment:\n  A: |\n    one\n    two\n  B: >-\n    one\n    two\n  C: |+\n    one\n\n  D: |2\n      in",
    "environment:\n  A: one\n    two\n  B: 'one\n    two'",
    "environment: {A: 00, B: 08, C: -5, D: +5, E: 5., F: .5, G: 1e3, H: 12345678901234567890, I: 0b11, J: 1.0}",
    "environment: {A: 2020-13-99, B: 12:30, C: 1:2:3, D: 1.2.3, E: -, F: '=', G: a:b}",
    "environment: {'A.B': c, A-B: c, _A: c}",
    "environment: {A: !!str 017, B: !!int 017}",
    "labels: {a: b, c: '', d: , e: 1, f: 1.50}",
    "labels: [a=b, c=, d, 'e=f=g']",
    "labels: []",
    "labels: {}",
    "labels: {a.b/c-d: $NAME}",
    "labels:\n  a: >\n    folded\n    text\n",
    "expose: [80, '81', '82-84', 85/udp, '86/tcp']",
    "expose: ['$PORT']",
    "ports: ['3000', '3000-3005', '8000:8001', '9090-9091:8080-8081', '49100:22', '6060:6061/udp']",
    "ports: ['127.0.0.1:8001:8002', '127.0.0.1:5000-5010:5000-5010', '127.0.0.1::5020', '0.0.0.0:90:91/sctp']",
    "ports: [80, 81, '$PORT:$PORT']",
    "ports: [{target: 80, published: 8080, protocol: udp, mode: host}, {target: 81}]",
    "healthcheck: {test: [CMD, curl, -f, localhost], interval: 1m30s, timeout: 10s, retries: 3, start_period: 40s}",
    "healthcheck: {test: curl localhost || exit 1, interval: 500ms}",
    "healthcheck: {test: [CMD-SHELL, 'a || b']}",
    "healthcheck: {disable: true}",
    "healthcheck: {test: [CMD, a], retries: '$NUMBER', interval: 1h2m3s}",
    "extra_hosts: ['a:10.0.0.1', 'b:::1', 'c:10.0.0.2', 'a:10.0.0.9']",
    "extra_hosts: {a: 10.0.0.1, b: '::1'}",
    "init: true\ntty: true\nstdin_open: true\nread_only: true",
    "tty: $YES\nread_only: '${MISSING:-false}'",
    "stop_grace_period: 1m30s\nstop_signal: SIGINT\nuser: '1001:1001'\nworking_dir: /srv",
    "user: app",
    "deploy: {replicas: 3}",
    "deploy: {replicas: $NUMBER}",
    "deploy: {replicas: 0}",
    "deploy: {mode: replicated, resources: {limits: {cpus: '0.50', memory: 50M}, reservations: {memory: 20mb}}}",
    "deploy: {resources: {limits: {memory: 1g}, reservations: {cpus: '2', memory: 1048576b}}}",
    "deploy: {placement: {constraints: [node.labels.disk == ssd, 'node.labels.zone != a']}}",
    "deploy: {update_config: {order: stop-first}}",
    "depends_on: [b, c]",
    "volumes: ['data:/data', 'data:/other:ro', 'data:/third:rw', 'data:/fourth:nocopy']",
    "volumes: [{type: volume, source: data, target: /data, read_only: true, volume: {nocopy: true}}]",
    "volumes: [{type: tmpfs, target: /tmp, tmpfs: {size: 1000}}]",
    "volumes: [{type: volume, source: data, target: /data}, 'data:/x']",
    "restart: always",
    "logging: {driver: local, options: {max-size: 5m, max-file: '2'}}",
    "x-own: {a: [$NAME]}\nenvironment: {A: b}",
]

FILES = {
    "anchors": (
        "x-base: &base\n  image: i\n  tty: true\n  environment: &env {A: '1', B: '2'}\nservices:\n"
        "  b: {<<: *base, environment: {<<: *env, B: '3'}}\n  c: *base\n  web: {<<: *base, command: run}\n"
    ),
    "merge of a list": (
        "x-a: &a {tty: true, command: one}\nx-b: &b {init: true, command: two}\nservices:\n"
        "  web: {<<: [*a, *b], image: i}\n  b: {<<: [*b, *a], image: i}\n  c: {image: i, <<: *a, command: three}\n"
    ),
    "merge in a merge": (
        "x-a: &a {tty: true, command: one}\nx-b: &b {<<: *a, init: true}\nservices:\n"
        "  web: {<<: *b, image: i}\n  b: {image: i}\n  c: {image: i, environment: &e [A=1]}\n"
    ),
    "an alias of a value": "services:\n  web: {image: i, user: &u app, working_dir: /x}\n  b: {image: i, user: *u}\n"
    "  c: {image: i}\n",
    "flow and comments": (
        "# first\nservices: {web: {image: i, command: [a, # b\n c]}, b: {image: i},\n c: {image: i}} # last\n"
    ),
    "a document's start and end": f"---\nversion: '3'\nservices:\n  web: {{image: i}}\n{_OTHERS}...\n",
    "quoted keys": "'services':\n  \"web\": {\"image\": 'i', 'tty': true}\n  b: {image: i}\n  c: {image: i}\n",
    "complex keys": "services:\n  ? web\n  : image: i\n    tty: true\n  b: {image: i}\n  c: {image: i}\n",
    "windows lines": f"services:\n  web:\n    image: i\n    command: run\n{_OTHERS}".replace("\n", "\r\n"),
    "a byte order mark": "\ufeffversion: '3'\nservices:\n  web: {image: i}\n  b: {image: i}\n  c: {image: i}\n",
}

JOINED = {
    "single values": ("tty: true\nuser: a\ncommand: a b\nentrypoint: [x]", "user: b\ncommand: [c]\nentrypoint: y z"),
    "nothing changes nothing": ("user: a\ntty: true\nlabels: {a: b}", ""),
    "variables of both": ("environment: {A: '1', B: '2'}", "environment: {B: '3', C: '4'}"),
    "variables in two forms": ("environment: [A=1, B=2]", "environment: {B: '3', C: ''}"),
    "variables in two forms, turned": ("environment: {A: '1', B: '2'}", "environment: [B=3, C=x]"),
    "labels": ("labels: {a: b, c: d}", "labels: [c=e, f=g]"),
    "lists follow": ("expose: ['80']\ndepends_on: [b]", "expose: ['81']\ndepends_on: [c]"),
    "hosts": ("extra_hosts: ['a:10.0.0.1']", "extra_hosts: ['a:10.0.0.2', 'b:10.0.0.3']"),
    "volumes by target": ("volumes: ['data:/data', 'data:/x']", "volumes: ['other:/data:ro']"),
    "volumes by target in two forms": (
        "volumes: ['data:/data']",
        "volumes: [{type: volume, source: other, target: /data}, 'data:/y']",
    ),
    "health": ("healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {interval: 6s, retries: 2}"),
    "logging of one driver": (
        "logging: {driver: local, options: {max-size: 1m}}",
        "logging: {driver: local, options: {max-file: '2'}}",
    ),
    "logging of another driver": (
        "logging: {driver: json-file, options: {max-size: 1m}}",
        "logging: {driver: local, options: {max-file: '2'}}",
    ),
    "deploy": (
        "deploy: {replicas: 2, resources: {limits: {cpus: '1', memory: 1g}}, "
        "placement: {constraints: [node.labels.a == b]}}",
        "deploy: {replicas: 3, resources: {limits: {memory: 2g}}, placement: {constraints: [node.labels.c == d]}}",
    ),
    "ports": ("ports: ['80:80']", "ports: ['81:81']"),
    "grace": ("stop_grace_period: 5s", "stop_grace_period: 6s\nstop_signal: SIGINT"),
}


def _file(lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines.split("\n"))
    others = "  b: {image: i}\n  c: {image: i}\nvolumes: {data: {}, other: {}}\n"
    return f'version: "3.8"\nservices:\n  web:\n    image: i\n{body}{others}'


def _compare(folder: Path, texts: Sequence[str]) -> None:
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{number}.yml")
        paths[-1].write_bytes((text if "version:" in text else f"version: '3.8'\n{text}").encode())
    result = stack_config(paths[0], VARIABLES, *paths[1:])
    assert result.returncode == 0, result.stderr
    theirs = yaml.load(result.stdout, Loader=yaml.CBaseLoader)
    compose = load_files([SourceFile(path.name, path.read_bytes().decode()) for path in paths], VARIABLES).compose
    document = render(compose, context(images={"i": f"i@sha256:{'ab' * 32}"})).to_yaml()
    (folder / "rendered.yml").write_text(document)
    ours = read_stack(folder / "rendered.yml", {})
    assert _shared(ours, compose) == {name: _theirs(service) for name, service in theirs["services"].items()}


def _shared(ours: Mapping[str, Any], compose: ComposeFile) -> dict[str, dict[str, Any]]:
    return {
        service.name: {
            **_engine_keys(ours["services"][service.name]),
            "labels": dict(service.labels),
            "ports": {f"{p}/{ports.protocol}" for ports in service.expose for p in range(ports.first, ports.last + 1)},
            "depends_on": {dependency.service for dependency in service.depends_on},
            "volumes": _our_volumes(service),
            "logging": {"driver": service.logging.driver or "", "options": dict(service.logging.options)},
        }
        for service in compose.services
    }


def _engine_keys(service: Mapping[str, Any]) -> dict[str, Any]:
    deploy = service.get("deploy", {})
    kept = {key: service.get(key) for key in _SAME}
    return {**kept, "resources": deploy.get("resources"), "placement": deploy.get("placement", {}).get("constraints")}


def _our_volumes(service: Service) -> list[tuple[str, ...]]:
    return sorted(
        (mount.source or "", mount.target, str(mount.read_only), str(mount.nocopy), str(mount.size or ""))
        for mount in service.mounts
    )


def _theirs(service: Mapping[str, Any]) -> dict[str, Any]:
    volumes = sorted(
        (
            volume.get("source", ""),
            volume["target"],
            volume.get("read_only", "false").title(),
            volume.get("volume", {}).get("nocopy", "false").title(),
            volume.get("tmpfs", {}).get("size", ""),
        )
        for volume in service.get("volumes", [])
    )
    logging = service.get("logging", {})
    given = {name: value for name, value in service.get("environment", {}).items() if value != "null"}
    return {
        **_engine_keys({**service, "environment": given or None}),
        "labels": service.get("labels", {}),
        "ports": {port for line in service.get("expose", []) for port in _exposed(line)}
        | {f"{port['target']}/{port.get('protocol', 'tcp')}" for port in service.get("ports", [])},
        "depends_on": set(service.get("depends_on", [])),
        "volumes": volumes,
        "logging": {"driver": logging.get("driver", ""), "options": logging.get("options", {})},
    }


def _exposed(line: str) -> list[str]:
    ports, _, protocol = line.partition("/")
    first, _, last = ports.partition("-")
    return [f"{port}/{protocol or 'tcp'}" for port in range(int(first), int(last or first) + 1)]


@pytest.mark.parametrize("lines", FORMS)
def test_each_form_of_a_key_means_what_it_means_to_docker(tmp_path: Path, lines: str) -> None:
    _compare(tmp_path, [_file(lines)])


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_yaml_is_read_as_docker_reads_it(tmp_path: Path, text: str) -> None:
    _compare(tmp_path, [text])


@pytest.mark.parametrize(("first", "second"), JOINED.values(), ids=JOINED)
def test_files_are_joined_as_docker_joins_them(tmp_path: Path, first: str, second: str) -> None:
    _compare(tmp_path, [_file(first), _file(second)])


def test_a_service_of_a_later_file_is_added(tmp_path: Path) -> None:
    _compare(tmp_path, [_file("tty: true"), "services:\n  d: {image: i, depends_on: [web]}\n"])
