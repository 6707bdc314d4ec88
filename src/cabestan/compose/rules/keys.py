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
    "container_name": "web",
    "cpus": "0.5",
    "devices": '["/dev/sda:/dev/sda"]',
    "dns": "[10.0.0.2]",
    "env_file": "[web.env]",
    "external_links": "[other_db:db]",
    "hostname": "web",
    "ipc": "host",
    "mem_limit": "200m",
    "network_mode": "host",
    "networks": "[other]",
    "pid": "host",
    "profiles": "[debug]",
    "pull_policy": "always",
    "scale": "2",
    "security_opt": '["seccomp:unconfined"]',
    "sysctls": "{net.core.somaxconn: 1024}",
    "userns_mode": "host",
    "volumes_from": "[other]",
    "external": "true",
    "driver_opts": "{type: none, o: bind, device: /etc}",
    "name": "another",
    "include": "[other.yml]",
    "failure_action": "continue",
    "propagation": "shared",
}
_RIGHT: Mapping[str, str] = {
    "env_file": f"{_WEB}    environment:\n      LEVEL: ${{LEVEL:-info}}\n",
    "mem_limit": f"{_WEB}    deploy:\n      resources:\n        limits:\n          memory: 200M\n",
    "cpus": f'{_WEB}    deploy:\n      resources:\n        limits:\n          cpus: "0.5"\n',
    "scale": f"{_WEB}    deploy:\n      replicas: 2\n",
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


_LEVELS = (
    _Level("at the top", policy.TOP, _WEB, ""),
    _Level("in a secret", policy.SECRET, f"{_WEB}secrets:\n  API_KEY:\n", "    "),
    _Level("in a service", policy.SERVICE, _WEB, "    "),
    _Level("in build", policy.BUILD, f"{_WEB}    build:\n      context: .\n", "      "),
    _Level("in a volume", policy.VOLUME, f"{_WEB}volumes:\n  data:\n", "    "),
    _Level("in healthcheck", policy.HEALTHCHECK, f"{_WEB}    healthcheck:\n      test: [CMD, check]\n", "      "),
    _Level("in logging.options", policy.LOGGING_OPTIONS, f"{_WEB}    logging:\n      options:\n", "        "),
    _Level("in a mount", policy.MOUNT, f"{_WEB}    volumes:\n      - {{type: bind, source: ./a, target: /a}}\n", ""),
    _Level("in a mount's bind", policy.MOUNT_BIND, "", ""),
    _Level("in a mount's tmpfs", policy.MOUNT_TMPFS, "", ""),
    _Level("in deploy", policy.DEPLOY, f"{_WEB}    deploy:\n", "      "),
    _Level("in deploy.resources", policy.RESOURCE, "", ""),
    _Level("in deploy.placement", policy.PLACEMENT, f"{_WEB}    deploy:\n      placement:\n", "        "),
    _Level("in deploy.update_config", policy.UPDATE, f"{_WEB}    deploy:\n      update_config:\n", "        "),
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
    if not level.before or level.keys is policy.MOUNT:
        return ""
    return f"{level.before}{level.indent}{key}: {_VALUES.get(key, '…')}\n"


def _listed(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
