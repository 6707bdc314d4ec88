"""Whatever is tried, a file that is accepted reaches neither the machine nor another project.

The rendered stack is held against lists of what may be in it, so that whatever is new tomorrow fails here as well.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.compose.samples import DIGEST, IMAGE, context

from cabestan.compose import policy
from cabestan.compose.findings import NOTHING_WAIVED, ComposeRefused, Waivers
from cabestan.compose.load import load
from cabestan.compose.render import render
from cabestan.compose.rules import RULES, waivers
from cabestan.domain.image import is_root
from cabestan.domain.rule import Waiver

STACK = context().stack
SECRET_FILE = f"{STACK}-API_KEY-0123"
#: all that a rendered stack, its services and their parts may hold
TOP = {"version", "services", "networks", "volumes", "secrets", "configs", "x-cabestan"}
SERVICE = {
    "image", "entrypoint", "command", "environment", "user", "working_dir", "extra_hosts", "healthcheck", "init",
    "read_only", "stdin_open", "tty", "stop_grace_period", "stop_signal", "volumes", "networks", "logging", "labels",
    "deploy", "secrets", "configs", "hostname",
}  # fmt: skip
DEPLOY = {
    "mode", "replicas", "endpoint_mode", "labels", "resources", "placement", "restart_policy", "update_config",
}  # fmt: skip
MOUNT = {"type", "source", "target", "read_only", "volume", "tmpfs"}
_LABEL = re.compile(r"node\.labels\.[A-Za-z0-9._-]+ (==|!=) [A-Za-z0-9._-]+")

_EVERYTHING_WAIVED = waivers(
    Waiver(number, 1, rule.code, "admin", "why not", datetime(2024, 5, 6, tzinfo=UTC))
    for number, rule in enumerate(RULES.values())
)


def dangerous(document: dict[str, Any], *, root_allowed: bool = False) -> list[str]:
    """What reaches the machine or others; each as a word for a person."""
    wrong = [f"top: {key}" for key in set(document) - TOP]
    wrong += [f"a foreign network: {one}" for key, one in document["networks"].items() if _foreign(key, one)]
    for name, config in document.get("configs", {}).items():
        if config != {"external": True, "name": name} or not name.startswith(f"{STACK}_"):
            wrong.append(f"a foreign config: {config}")
    for volume in document.get("volumes", {}).values():
        if set(volume) != {"name", "labels"} or not volume["name"].startswith(f"{STACK}_"):
            wrong.append(f"a foreign volume: {volume}")
    for secret in document.get("secrets", {}).values():
        if secret != {"external": True, "name": SECRET_FILE}:
            wrong.append(f"a foreign secret: {secret}")
    for name, service in document["services"].items():
        wrong += [f"{name}: {word}" for word in _in_service(service, document, root_allowed=root_allowed)]
    return wrong


def _in_service(service: dict[str, Any], document: dict[str, Any], *, root_allowed: bool) -> list[str]:
    wrong = [f"key {key}" for key in set(service) - SERVICE]
    wrong += [f"deploy.{key}" for key in set(service["deploy"]) - DEPLOY]
    if not _own_network(service["networks"], document["networks"]) or service["image"] != DIGEST:
        wrong.append("a foreign network or image")
    if not root_allowed and "user" in service and is_root(service["user"]):
        wrong.append("root")
    for mount in service.get("volumes", []):
        foreign = mount["type"] == "volume" and mount["source"] not in document.get("volumes", {})
        memory = mount["type"] == "tmpfs" and "source" not in mount
        if set(mount) - MOUNT or foreign or not (memory or mount["type"] == "volume"):
            wrong.append(f"a mount: {mount}")
    for secret in service.get("secrets", []):
        if secret["source"] not in document.get("secrets", {}) or "/" in secret["target"]:
            wrong.append(f"a secret: {secret}")
    if service["deploy"].get("mode") not in ("replicated", "replicated-job"):
        wrong.append("a mode")
    constraints = service["deploy"].get("placement", {}).get("constraints", [])
    wrong += [f"placement {line}" for line in constraints if not _LABEL.fullmatch(line)]
    return wrong + _labels(service)


def _own_network(networks: Any, declared: dict[str, Any]) -> bool:
    """The environment's alone, with or without further names in them."""
    if isinstance(networks, dict) and any(set(options) != {"aliases"} for options in networks.values()):
        return False
    return bool(networks) and all(key in declared and not _foreign(key, declared[key]) for key in networks)


def _foreign(key: str, network: dict[str, Any]) -> bool:
    """Whether it may be another environment's."""
    name = network.get("name", "")
    is_own = name == context().network if key == "default" else name.startswith(f"{context().network}-")
    return not is_own or network != {"external": True, "name": name}


def _labels(service: dict[str, Any]) -> list[str]:
    labels = {**service.get("labels", {}), **service["deploy"]["labels"]}
    wrong = [name for name in labels if name.lower().startswith(("com.docker.", "io.docker."))]
    wrong += [name for name in service.get("labels", {}) if name.lower().startswith("traefik.")]
    return wrong + (["ours"] if labels["cabestan.project"] != "demo/hello" else [])


def accepted(text: str, variables: dict[str, str], waived: Waivers = NOTHING_WAIVED) -> dict[str, Any] | None:
    """The stack as Docker will read it; None where the file is refused."""
    try:
        compose = load(text, "docker-compose.yml", variables, waivers=waived).compose
        stack = render(compose, context(secret_files={"API_KEY": SECRET_FILE})).to_yaml()
    except ComposeRefused:
        return None
    found: dict[str, Any] = yaml.safe_load(stack)
    return found


_KEYS = sorted(
    {key for table in vars(policy).values() if isinstance(table, policy.Keys) for key in table.allowed}
    | {key for table in vars(policy).values() if isinstance(table, policy.Keys) for key in table.refused}
    | {"x-a", "<<", "Privileged", "privileged ", "PRIVILEGED", "cap-add", "new_tomorrow", "volumes ", "\u0441ap_add"}
)
_WORDS = [
    "/", "/etc:/etc", "/:/host:ro", "~/x:/x", "~:/x", "./a:/a", "./a/../../b:/b", "../x:/x", "./..:/x", ".:/x", "a:/a",
    "\\\\server:/x", "C:\\x:/x", "./a:/a:shared", "//etc:/x", "./a//../..:/x", "file:///etc:/x", "%2fetc:/x",
    "/var/run/docker.sock:/var/run/docker.sock", "./docker.sock:/s", "$X", "${X}", "${X:-/etc}:/etc", "${Y:-host}",
    "$$X", "host", "none", "container:other", "service:web", "bridge", "true", "yes", "1", "0", "root", "0:0", "+0",
    "80:80", "127.0.0.1:80:80", "80", "ALL", "SYS_ADMIN", "seccomp:unconfined", "bind", "volume", "npipe", "cluster",
    "tmpfs", "global", "node.role == manager", "node.labels.a == b", "node.labels.a==b || true", "other_project_data",
    "cabestan.project=other/one", "com.docker.stack.namespace=other", "traefik.http.routers.x.rule=Host(`a`)",
    "traefik.frontend.rule=Host:`) || Host(`b", "traefik.frontend.rule=Host:a.example.org", "traefik.port=80",
    "host:host-gateway", "host:10.0.0.1", IMAGE, "other/image", "a\nb", "a`b", "", "API_KEY",
    "../key", "/etc/passwd", "other_secret", "other:web", "web:other",
]  # fmt: skip
_texts = st.sampled_from(_WORDS) | st.text(max_size=6)
_scalars = st.none() | st.booleans() | st.integers(-1, 99999) | _texts
_trees = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | _texts, inner, max_size=4),
    max_leaves=8,
)
#: a service that is well, for each attack to change a few places of
_GOOD: dict[str, Any] = {
    "image": IMAGE,
    "volumes": ["./a:/a", {"type": "bind", "source": "./b", "target": "/b"}, {"type": "tmpfs", "target": "/c"}],
    "labels": {"team": "shop"},
    "environment": {"A": "b"},
    "deploy": {"replicas": 1, "placement": {"constraints": ["node.labels.a == b"]}},
    "user": "1001",
    "expose": [80],
    "extra_hosts": ["host:10.0.0.1"],
    "logging": {"driver": "local"},
    "secrets": ["API_KEY", {"source": "API_KEY", "target": "key"}],
}
_PLACES: list[tuple[str | int, ...]] = [
    ("image",), ("user",), ("volumes",), ("volumes", 0), ("volumes", 1), ("volumes", 1, "source"),
    ("volumes", 1, "type"),
    ("volumes", 1, "target"), ("volumes", 1, "bind"), ("volumes", 1, "volume"), ("volumes", 2, "source"),
    ("volumes", 2, "tmpfs"), ("labels",), ("labels", "team"), ("labels", "traefik.frontend.rule"),
    ("labels", "cabestan.project"), ("environment",), ("environment", "A"), ("deploy", "mode"), ("deploy", "placement"),
    ("deploy", "placement", "constraints"), ("deploy", "placement", "constraints", 0), ("deploy", "labels"), ("ports",),
    ("expose",), ("extra_hosts", 0), ("logging", "driver"), ("logging", "options"), ("tmpfs",), ("restart",), ("tty",),
    ("secrets", 0), ("secrets", 1), ("secrets", 1, "source"), ("secrets", 1, "target"), ("secrets", 1, "file"),
    ("extends",), ("links",), ("command",),
    ("entrypoint",), ("healthcheck",), ("working_dir",), ("stop_signal",), ("depends_on",), ("init",),
]  # fmt: skip
_attacks = st.tuples(st.sampled_from(_PLACES), _texts | st.lists(_texts, max_size=2) | _trees)


def _attacked(attacks: list[tuple[tuple[str | int, ...], Any]]) -> dict[str, Any]:
    """The service that is well, with these places changed as far as an earlier change left them there."""
    service = json.loads(json.dumps(_GOOD))
    for (*way, last), value in attacks:
        at: Any = service
        for step in way:
            fits = (isinstance(at, dict) and step in at) or (
                isinstance(at, list) and isinstance(step, int) and step < len(at)
            )
            at = at[step] if fits else None
        if (isinstance(at, dict) and isinstance(last, str)) or (isinstance(at, list) and isinstance(last, int) and at):
            at[last if isinstance(at, dict) else min(int(last), len(at) - 1)] = value
    return dict(service)


_services = st.lists(_attacks, min_size=1, max_size=2).map(_attacked)
_extra = st.just({}) | st.dictionaries(st.sampled_from(_KEYS), _trees, max_size=1)
_tops = st.just({}) | st.dictionaries(
    st.sampled_from([*sorted(policy.TOP.allowed | set(policy.TOP.refused)), "x-a"]), _trees, max_size=1
)
_volumes = st.just({"a": None}) | st.dictionaries(st.sampled_from(["a", "other"]), st.none() | _trees, max_size=2)


def _file(service: dict[str, Any], extra: dict[str, Any], top: dict[str, Any], volumes: dict[str, Any]) -> str:
    return json.dumps({**top, "volumes": volumes, "services": {"web": {**extra, **service}}})


@settings(max_examples=400)
@given(_services, _extra, _tops, _volumes, _texts)
@example({"image": IMAGE, "volumes": ["$X"]}, {}, {}, {}, "/etc:/etc")
@example({"image": IMAGE, "volumes": [{"type": "bind", "source": "$X", "target": "/t"}]}, {}, {}, {}, "/etc")
@example({"image": IMAGE, "volumes": ["a:/a"]}, {}, {}, {"a": {"driver_opts": {"device": "/etc"}}}, "")
@example({"image": IMAGE, "user": "$X"}, {}, {}, {}, "0")
def test_nothing_dangerous_is_ever_rendered(
    service: dict[str, Any], extra: dict[str, Any], top: dict[str, Any], volumes: dict[str, Any], variable: str
) -> None:
    assume("\0" not in variable and not re.search("[\ue000-\uf8ff\ud800-\udfff]", variable))
    document = accepted(_file(service, extra, top, volumes), {"X": variable})
    assert document is None or dangerous(document) == []


@settings(max_examples=200)
@given(_services, _extra, _tops, _volumes)
@example({"image": IMAGE}, {"cap_drop": ["ALL"], "hostname": "x", "container_name": "y"}, {}, {})
def test_no_waiver_lets_anything_dangerous_through(
    service: dict[str, Any], extra: dict[str, Any], top: dict[str, Any], volumes: dict[str, Any]
) -> None:
    document = accepted(_file(service, extra, top, volumes), {}, _EVERYTHING_WAIVED)
    assert document is None or dangerous(document, root_allowed=True) == []


@given(st.sampled_from(_KEYS), _trees)
def test_a_merged_anchor_is_held_to_the_same_rules(key: str, value: Any) -> None:
    text = (
        f"x-base: &base\n  {json.dumps(key)}: {json.dumps(value)}\n"
        f"services:\n  web:\n    <<: *base\n    image: {IMAGE}\nvolumes: {{a: }}\n"
    )
    document = accepted(text, {})
    assert document is None or dangerous(document) == []


@given(st.text("abcdefghijklmnopqrstuvwxyz_-", min_size=1, max_size=20), _trees)
def test_a_key_that_nobody_thought_of_is_refused(key: str, value: Any) -> None:
    assume(key not in policy.SERVICE.allowed and key not in policy.SERVICE.left_out and not key.startswith("x-"))
    assert accepted(json.dumps({"services": {"web": {"image": IMAGE, key: value}}}), {}) is None


@given(st.text("abcdefghijklmnopqrstuvwxyz_-", min_size=1, max_size=20), _trees)
def test_a_top_level_key_that_nobody_thought_of_is_refused(key: str, value: Any) -> None:
    assume(key not in policy.TOP.allowed and not key.startswith("x-"))
    assert accepted(json.dumps({"services": {"web": {"image": IMAGE}}, key: value}), {}) is None


def test_the_tests_notice_what_they_look_for() -> None:
    document = accepted(f"services:\n  web:\n    image: {IMAGE}\n    volumes: ['./a:/a']\n", {})
    assert document
    assert dangerous(document) == []
    web = document["services"]["web"]
    web |= {"privileged": True, "ports": ["80:80"], "user": "0", "networks": ["other"]}
    web["volumes"].append({"type": "bind", "source": "/", "target": "/host"})
    web["deploy"] |= {"mode": "global", "placement": {"constraints": ["node.role == manager"]}}
    document["volumes"]["a"] = {"external": True, "name": "theirs"}
    document["networks"]["other"] = {"external": True}
    assert len(dangerous(document)) == 9
