"""Which keys a Compose file may have at each level; every other key is refused, new ones of tomorrow too.

A refused key that people know has its reason and what to write instead. Its code is `no-<key>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from cabestan.compose.findings import Report
from cabestan.compose.nodes import Field


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one level. `refused` maps a key to its reason and its remedy; `x-…` is for anchors."""

    allowed: frozenset[str]
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: keys that are read over with a warning, for leaving them out changes nothing of importance: what happens instead
    left_out: Mapping[str, str] = field(default_factory=dict)
    extensions: bool = False


_ISOLATION = "It would weaken what keeps environments apart."
_REMOVE = "Remove it."
_OWN_NETWORK = (
    "Each environment has one network of its own, where services find each other by name.",
    "Remove it; reach other services of the file by their names.",
)
_GUARD = (_ISOLATION, _REMOVE)
_SHARE = "Remove it; share data through a volume, or over the environment's network."
_OWN_CACHE = "The builder keeps a cache of the project's own."
_LIMITS = "The engine's own limits hold, beside those of deploy.resources."
_STAYS = "The volume is the environment's, and named and labelled as such."

TOP = Keys(
    frozenset({"configs", "networks", "secrets", "services", "version", "volumes"}),
    {
        "include": (
            "A deployment reads the files that its environment names.",
            "Write the services into this file, or take them over with extends.",
        ),
    },
    {"name": "The environment names the stack."},
    extensions=True,
)

SERVICE = Keys(
    frozenset(
        {
            "build",
            "command",
            "configs",
            "container_name",
            "cpus",
            "depends_on",
            "deploy",
            "entrypoint",
            "env_file",
            "environment",
            "expose",
            "extends",
            "extra_hosts",
            "healthcheck",
            "hostname",
            "image",
            "init",
            "labels",
            "links",
            "logging",
            "mem_limit",
            "mem_reservation",
            "networks",
            "ports",
            "profiles",
            "read_only",
            "restart",
            "scale",
            "secrets",
            "shm_size",
            "stdin_open",
            "stop_grace_period",
            "stop_signal",
            "tmpfs",
            "tty",
            "user",
            "volumes",
            "working_dir",
        }
    ),
    {
        "privileged": (
            "It would give the container the whole machine.",
            "Remove it; do what needs more rights while the image is built.",
        ),
        "cap_add": (
            "Capabilities of the kernel would weaken what keeps environments apart.",
            "Remove it; do what needs them while the image is built, and listen on a port above 1023.",
        ),
        "cap_drop": ("It is not supported.", _REMOVE),
        "cgroup": _GUARD,
        "cgroup_parent": _GUARD,
        "credential_spec": _GUARD,
        "device_cgroup_rules": _GUARD,
        "devices": (
            "It would give the container the machine's devices.",
            "Remove it; what must be kept belongs into a volume such as ./data:/data.",
        ),
        "dns": _OWN_NETWORK,
        "dns_search": _OWN_NETWORK,
        "external_links": ("Containers of other environments cannot be reached.", _REMOVE),
        "gpus": _GUARD,
        "ipc": ("It would share the memory of other containers or of the machine.", _SHARE),
        "isolation": _GUARD,
        "mac_address": _OWN_NETWORK,
        "network_mode": _OWN_NETWORK,
        "pid": ("It would show the processes of other containers or of the machine.", _SHARE),
        "runtime": _GUARD,
        "security_opt": (
            "It would take off the guard that the engine puts around every container.",
            "Remove it; the engine's own profile lets applications do what they need.",
        ),
        "sysctls": _GUARD,
        "userns_mode": _GUARD,
        "uts": ("It would share the machine's own name.", "Remove it; services find each other by name."),
        "volumes_from": ("Containers share volumes by name.", "Give both services the same volume."),
    },
    {
        "annotations": "Labels of the service are enough.",
        "attach": "The output of all services is kept.",
        "cpu_period": _LIMITS,
        "cpu_quota": _LIMITS,
        "cpu_shares": _LIMITS,
        "cpuset": _LIMITS,
        "develop": "It is for development; the image has the files of the commit.",
        "domainname": "The host's name in its own container is the one of hostname.",
        "mem_swappiness": _LIMITS,
        "memswap_limit": _LIMITS,
        "oom_score_adj": _LIMITS,
        "pids_limit": _LIMITS,
        "platform": "Images are built for, and run on, the platform's own machines.",
        "pull_policy": "Images are deployed by their digest.",
        "ulimits": _LIMITS,
    },
    extensions=True,
)

VOLUME = Keys(
    frozenset({"driver"}),
    {
        "driver_opts": ("It could reach the machine's files.", _REMOVE),
        "external": ("Volumes of other environments cannot be used.", _REMOVE),
    },
    {"labels": _STAYS, "name": _STAYS},
)

NETWORK = Keys(
    frozenset({"driver", "internal"}),
    {"external": ("Networks of the machine and of other environments cannot be reached.", "Remove it.")},
    dict.fromkeys(
        ("attachable", "driver_opts", "enable_ipv4", "enable_ipv6", "ipam", "labels", "name"),
        "The network is the environment's, and made as all of them are.",
    ),
)
_ADDRESSES = ("Swarm gives the addresses, and others at each start.", "Remove it; use the names of services.")
SERVICE_NETWORK = Keys(
    frozenset({"aliases"}),
    dict.fromkeys(("ipv4_address", "ipv6_address", "link_local_ips", "mac_address"), _ADDRESSES),
    dict.fromkeys(("driver_opts", "gw_priority", "interface_name", "priority"), "Networks are all alike here."),
)
ENV_FILE = Keys(frozenset({"format", "path", "required"}))
CONFIG = Keys(
    frozenset({"content", "file"}),
    {
        "environment": ("A config is a file of the commit.", "Write content, with the variable in it."),
        "external": ("Configs of other environments cannot be used.", "Commit the file, and write file: PATH."),
        "template_driver": ("Files are given as they are.", _REMOVE),
    },
    dict.fromkeys(("labels", "name"), "The environment names and labels its configs."),
)
SERVICE_CONFIG = Keys(frozenset({"gid", "mode", "source", "target", "uid"}))

SECRET = Keys(
    frozenset({"environment", "external", "file"}),
    {
        "driver": ("The platform keeps the secrets.", _REMOVE),
        "name": ("The environment names its secrets.", "Write environment: NAME."),
        "template_driver": ("The platform keeps the secrets.", _REMOVE),
    },
    {"labels": "The platform labels its secrets."},
)
SERVICE_SECRET = Keys(frozenset({"gid", "mode", "source", "target", "uid"}))

HEALTHCHECK = Keys(
    frozenset({"test", "interval", "timeout", "retries", "start_period", "disable"}),
    left_out={"start_interval": "Docker's stack files do not know it: interval holds from the start."},
)
LOGGING = Keys(frozenset({"driver", "options"}))
LOGGING_OPTIONS = Keys(
    frozenset({"max-size", "max-file"}),
    left_out=dict.fromkeys(("compress", "env", "labels", "mode", "tag"), "Logs are kept and read as all others are."),
)
DEPENDENCY = Keys(frozenset({"condition", "required", "restart"}))
PORT = Keys(frozenset({"target", "published", "protocol", "mode", "host_ip", "name", "app_protocol"}))
MOUNT = Keys(
    frozenset({"type", "source", "target", "read_only", "volume", "tmpfs", "bind"}),
    left_out={"consistency": "It is for files of a developer's machine."},
)
MOUNT_VOLUME = Keys(frozenset({"nocopy"}))
MOUNT_BIND = Keys(frozenset({"create_host_path"}), {"propagation": _GUARD, "selinux": _GUARD})
MOUNT_TMPFS = Keys(frozenset({"size"}), left_out={"mode": "Docker's stack files do not know it."})

_JUDGED = "Cabestan watches the deployment, and puts the previous release back if it fails."
DEPLOY = Keys(
    frozenset({"mode", "replicas", "resources", "placement", "restart_policy", "update_config"}),
    {"labels": ("Labels of the service are enough.", "Write labels at the service.")},
    {"endpoint_mode": "The platform chooses what works on every machine.", "rollback_config": _JUDGED},
)
RESTART = Keys(
    frozenset({"condition", "max_attempts"}),
    left_out=dict.fromkeys(("delay", "window"), "Swarm waits as long as it always does."),
)
RESOURCES = Keys(frozenset({"limits", "reservations"}))
RESOURCE = Keys(
    frozenset({"cpus", "memory"}),
    {
        "devices": _GUARD,
        "generic_resources": ("It is not supported.", _REMOVE),
    },
    {"pids": _LIMITS},
)
PLACEMENT = Keys(
    frozenset({"constraints"}),
    left_out=dict.fromkeys(("max_replicas_per_node", "preferences"), "Swarm spreads tasks over the nodes by itself."),
)
UPDATE = Keys(
    frozenset({"order"}),
    left_out=dict.fromkeys(("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio"), _JUDGED),
)
_CONTEXT = "What goes into an image is the commit's: its files, and the images that its Dockerfile names."
BUILD = Keys(
    frozenset({"args", "context", "dockerfile", "target"}),
    {
        "additional_contexts": (_CONTEXT, "Copy from the context, or from an image by COPY --from."),
        "dockerfile_inline": ("A build is checked by its Dockerfile.", "Write a Dockerfile, and name it: dockerfile."),
        "entitlements": _GUARD,
        "extra_hosts": (_CONTEXT, _REMOVE),
        "isolation": _GUARD,
        "network": (_CONTEXT, _REMOVE),
        "privileged": (
            "It would give the container the whole machine.",
            "Remove it; do what needs more rights while the image is built.",
        ),
        "secrets": ("A build has no secrets: its image would keep them.", "Read them when the service runs: secrets."),
        "ssh": ("A build has no keys of anybody's.", "Commit what is to be fetched, or fetch it without a key."),
    },
    {
        "cache_from": _OWN_CACHE,
        "cache_to": _OWN_CACHE,
        "labels": "The platform labels its images.",
        "no_cache": _OWN_CACHE,
        "platforms": "An image is built for the platform's own machines.",
        "provenance": _OWN_CACHE,
        "pull": "A release pins what its images stand on.",
        "sbom": _OWN_CACHE,
        "shm_size": "The builder has memory of its own.",
        "tags": "The pipeline tags its images by commit and version.",
        "ulimits": "The builder has limits of its own.",
    },
)
EXTENDS = Keys(frozenset({"file", "service"}))

#: the service keys that the specification of factory projects names
OF_THE_DOCUMENT = frozenset(
    {
        "command",
        "depends_on",
        "entrypoint",
        "environment",
        "expose",
        "extra_hosts",
        "healthcheck",
        "image",
        "labels",
        "links",
        "logging",
        "ports",
        "read_only",
        "restart",
        "tty",
        "volumes",
    }
)

#: Refused keys that a project may be let off: with a waiver they are left out, and a warning says so. None of them
#: would reach the machine, another project or the data, nor leave something out that an application must have.
LEFT_OUT_IF_WAIVED = frozenset({"cap_drop", "dns_search"})


def refusal_code(key: str) -> str:
    return "no-" + key.replace("_", "-")


def check_keys(report: Report, table: Field, keys: Keys) -> None:
    """Reports every key of the table that the level does not allow."""
    for key, value in table.entries():
        if key in keys.allowed or (keys.extensions and key.startswith("x-")):
            continue
        if key in keys.refused:
            reason, remedy = keys.refused[key]
            report.error(refusal_code(key), value.key_spot, f"{key} is not allowed. {reason}", remedy)
        elif key in keys.left_out:
            report.warn("left-out", value.key_spot, f"{key} is left out. {keys.left_out[key]}", _REMOVE)
        else:
            report.error("unknown-key", value.key_spot, f"The key {key} is not known here.", _known(key, keys))


def _known(key: str, keys: Keys) -> str:
    close = get_close_matches(key[:40], keys.allowed, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    allowed = ", ".join(sorted(keys.allowed))
    return f"Remove it. Allowed are: {allowed}." if allowed else "Remove it: no key is allowed here."
