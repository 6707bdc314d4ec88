"""The rules that refuse single keys, made from the tables of `policy`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cabestan.compose import policy
from cabestan.domain.rule import Rule

_IMAGE = "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"
_WEB = f"services:\n  web:\n    image: {_IMAGE}\n"
#: values that make a refused key look as people write it
_VALUES: Mapping[str, str] = {
    "privileged": "true",
    "cap_add": "[NET_ADMIN]",
    "cap_drop": "[ALL]",
    "devices": '["/dev/sda:/dev/sda"]',
    "dns": "[10.0.0.2]",
    "external_links": "[other_db:db]",
    "ipc": "host",
    "network_mode": "host",
    "pid": "host",
    "security_opt": '["seccomp:unconfined"]',
    "sysctls": "{net.core.somaxconn: 1024}",
    "userns_mode": "host",
    "volumes_from": "[other]",
    "external": "true",
    "driver_opts": "{type: none, o: bind, device: /etc}",
    "name": "another",
    "include": "[other.yml]",
    "additional_contexts": "{other: ./other}",
    "dockerfile_inline": '"FROM cabestan/python:3.11"',
    "environment": "PAGE",
    "labels": "{team: shop}",
    "network": "host",
    "secrets": "[API_KEY]",
    "ssh": "[default]",
    "extra_hosts": '["other:10.0.0.2"]',
    "ipv4_address": "10.0.0.2",
    "ipv6_address": '"fd00::2"',
    "link_local_ips": "[169.254.0.2]",
    "mac_address": '"02:42:ac:11:00:02"',
    "propagation": "shared",
}
_RIGHT: Mapping[str, str] = {
    "additional_contexts": f"{_WEB}    build:\n      context: .\n",
    "dockerfile_inline": f"{_WEB}    build:\n      context: .\n      dockerfile: Dockerfile.web\n",
    "environment": f"{_WEB}configs:\n  page:\n    content: ${{PAGE:-none}}\n",
    "labels": f"{_WEB}    labels: {{team: shop}}\n",
    "name": f"{_WEB}secrets:\n  API_KEY:\n    environment: API_KEY\n",
    "secrets": f"{_WEB}    build: .\n    secrets: [API_KEY]\n",
    "ssh": f"{_WEB}    build: .\n",
    **dict.fromkeys(("ipv4_address", "ipv6_address", "link_local_ips"), _WEB),
    "include": f"{_WEB}  other:\n    image: {_IMAGE}\n",
    "external": f"{_WEB}    volumes: [data:/data]\nvolumes:\n  data: {{}}\n",
    "volumes_from": f"{_WEB}    volumes: [data:/data]\nvolumes:\n  data: {{}}\n",
}


@dataclass(frozen=True, slots=True)
class _Level:
    """Where a table of keys holds, in words and as the text that leads there."""

    words: str
    keys: policy.Keys
    before: str
    indent: str
    after: str = ""


_LEVELS = (
    _Level("at the top", policy.TOP, _WEB, ""),
    _Level("in a secret", policy.SECRET, f"{_WEB}secrets:\n  API_KEY:\n", "    "),
    _Level("in a service", policy.SERVICE, _WEB, "    "),
    _Level("in build", policy.BUILD, f"{_WEB}    build:\n      context: .\n", "      "),
    _Level("in a volume", policy.VOLUME, f"{_WEB}volumes:\n  data:\n", "    "),
    _Level("in a network", policy.NETWORK, f"{_WEB}networks:\n  back:\n", "    "),
    _Level(
        "in a network of a service",
        policy.SERVICE_NETWORK,
        f"{_WEB}    networks:\n      back:\n",
        "        ",
        "networks:\n  back: {}\n",
    ),
    _Level("in a config", policy.CONFIG, f"{_WEB}configs:\n  page:\n", "    "),
    _Level("in a mount's bind", policy.MOUNT_BIND, "", ""),
    _Level("in deploy", policy.DEPLOY, f"{_WEB}    deploy:\n", "      "),
    _Level("in deploy.resources", policy.RESOURCE, "", ""),
)


def key_rules() -> Iterator[Rule]:
    """One per key, for all levels that refuse it."""
    for key in sorted({key for level in _LEVELS for key in level.keys.refused}):
        yield _rule(key, tuple(level for level in _LEVELS if key in level.keys.refused))


def _rule(key: str, levels: tuple[_Level, ...]) -> Rule:
    refusals = [level.keys.refused[key] for level in levels]
    where = _listed([level.words for level in levels])
    return Rule(
        code=policy.refusal_code(key),
        title=f"`{key}` is not allowed {where}",
        reason=" ".join(dict.fromkeys(reason for reason, _ in refusals)),
        remedy=" ".join(dict.fromkeys(remedy for _, remedy in refusals)),
        waivable=key in policy.LEFT_OUT_IF_WAIVED,
        wrong=_wrong(key, levels[0]),
        right=_RIGHT.get(key, ""),
    )


def _wrong(key: str, level: _Level) -> str:
    if not level.before:
        return ""
    return f"{level.before}{level.indent}{key}: {_VALUES.get(key, '…')}\n{level.after}"


def _listed(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
