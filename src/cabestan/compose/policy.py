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
_SWARM_LIMITS = ("Docker Swarm takes limits from deploy.", "Write deploy.resources.limits.")

TOP = Keys(
    frozenset({"secrets", "services", "version", "volumes"}),
    {
        "networks": _OWN_NETWORK,
        "configs": ("Configuration comes from the image and from variables.", "Put the file into the image."),
        "name": ("The environment names the stack.", _REMOVE),
        "include": (
            "A deployment reads the files that its environment names.",
            "Write the services into this file, or take them over with extends.",
        ),
    },
    extensions=True,
)

SERVICE = Keys(
    frozenset(
        {
            "build",
            "command",
            "depends_on",
            "deploy",
            "entrypoint",
            "environment",
            "expose",
            "extends",
            "extra_hosts",
            "healthcheck",
            "image",
            "init",
            "labels",
            "links",
            "logging",
            "ports",
            "read_only",
            "restart",
            "secrets",
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
        "configs": ("Configuration comes from the image and from variables.", "Put the file into the image."),
        "container_name": (
            "Swarm names the containers, and there may be several.",
            "Use the name of the service.",
        ),
        "cpus": _SWARM_LIMITS,
        "credential_spec": _GUARD,
        "device_cgroup_rules": _GUARD,
        "devices": (
            "It would give the container the machine's devices.",
            "Remove it; what must be kept belongs into a volume such as ./data:/data.",
        ),
        "dns": _OWN_NETWORK,
        "dns_search": _OWN_NETWORK,
        "domainname": _OWN_NETWORK,
        "env_file": (
            "The file is for development and is not there in production.",
            "List the variables under environment.",
        ),
        "external_links": ("Containers of other environments cannot be reached.", _REMOVE),
        "gpus": _GUARD,
        "hostname": _OWN_NETWORK,
        "ipc": ("It would share the memory of other containers or of the machine.", _SHARE),
        "isolation": _GUARD,
        "mem_limit": _SWARM_LIMITS,
        "memswap_limit": _SWARM_LIMITS,
        "mac_address": _OWN_NETWORK,
        "network_mode": _OWN_NETWORK,
        "networks": _OWN_NETWORK,
        "pid": ("It would show the processes of other containers or of the machine.", _SHARE),
        "pids_limit": _SWARM_LIMITS,
        "profiles": ("All services of the file are deployed.", "Move the service to a file for development."),
        "pull_policy": ("Images are deployed by their digest.", _REMOVE),
        "runtime": _GUARD,
        "scale": ("Docker Swarm takes it from deploy.", "Write deploy.replicas."),
        "security_opt": (
            "It would take off the guard that the engine puts around every container.",
            "Remove it; the engine's own profile lets applications do what they need.",
        ),
        "shm_size": ("Docker Swarm does not know it.", "Mount memory at /dev/shm with tmpfs."),
        "sysctls": _GUARD,
        "ulimits": ("It is not supported.", _REMOVE),
        "userns_mode": _GUARD,
        "uts": ("It would share the machine's own name.", "Remove it; services find each other by name."),
        "volumes_from": ("Containers share volumes by name.", "Give both services the same volume."),
    },
    extensions=True,
)

VOLUME = Keys(
    frozenset(),
    {
        "driver": ("The platform keeps the volumes.", _REMOVE),
        "driver_opts": ("It could reach the machine's files.", _REMOVE),
        "external": ("Volumes of other environments cannot be used.", _REMOVE),
        "name": ("The environment names its volumes.", _REMOVE),
        "labels": ("The platform labels its volumes.", _REMOVE),
    },
)

_KEPT = "Set the secret in the environment: cabestan secret set NAME -e ENV."
SECRET = Keys(
    frozenset({"environment", "external"}),
    {
        "driver": ("The platform keeps the secrets.", _REMOVE),
        "file": ("The file is not there in production.", _KEPT),
        "labels": ("The platform labels its secrets.", _REMOVE),
        "name": ("The environment names its secrets.", "Write environment: NAME."),
        "template_driver": ("The platform keeps the secrets.", _REMOVE),
    },
)
SERVICE_SECRET = Keys(frozenset({"gid", "mode", "source", "target", "uid"}))

HEALTHCHECK = Keys(
    frozenset({"test", "interval", "timeout", "retries", "start_period", "disable"}),
    {"start_interval": ("Docker's stack files do not know it.", "Use interval and start_period.")},
)
LOGGING = Keys(frozenset({"driver", "options"}))
LOGGING_OPTIONS = Keys(
    frozenset({"max-size", "max-file"}), {"labels": ("It is not supported.", _REMOVE)}, extensions=False
)
DEPENDENCY = Keys(frozenset({"condition", "required", "restart"}))
PORT = Keys(frozenset({"target", "published", "protocol", "mode", "host_ip", "name", "app_protocol"}))
MOUNT = Keys(
    frozenset({"type", "source", "target", "read_only", "volume", "tmpfs", "bind"}),
    {"consistency": ("It means nothing here.", _REMOVE)},
)
MOUNT_VOLUME = Keys(frozenset({"nocopy"}))
MOUNT_BIND = Keys(frozenset({"create_host_path"}), {"propagation": _GUARD, "selinux": _GUARD})
MOUNT_TMPFS = Keys(frozenset({"size"}), {"mode": ("Docker's stack files do not know it.", _REMOVE)})

_JUDGED = ("Cabestan watches the deployment, and puts the previous release back if it fails.", _REMOVE)
DEPLOY = Keys(
    frozenset({"mode", "replicas", "resources", "placement", "update_config"}),
    {
        "endpoint_mode": ("The platform chooses what works on every machine.", _REMOVE),
        "labels": ("Labels of the service are enough.", "Write labels at the service."),
        "restart_policy": ("The service says it.", "Write restart at the service."),
        "rollback_config": _JUDGED,
    },
)
RESOURCES = Keys(frozenset({"limits", "reservations"}))
RESOURCE = Keys(
    frozenset({"cpus", "memory"}),
    {
        "devices": _GUARD,
        "generic_resources": ("It is not supported.", _REMOVE),
        "pids": ("It is not supported.", _REMOVE),
    },
)
PLACEMENT = Keys(
    frozenset({"constraints"}),
    {
        "preferences": ("It is not supported.", "Use constraints on node labels."),
        "max_replicas_per_node": ("It is not supported.", "Use constraints on node labels."),
    },
)
UPDATE = Keys(
    frozenset({"order"}),
    dict.fromkeys(("parallelism", "delay", "failure_action", "monitor", "max_failure_ratio"), _JUDGED),
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
LEFT_OUT_IF_WAIVED = frozenset(
    {
        "cap_drop",
        "consistency",
        "container_name",
        "cpus",
        "delay",
        "dns_search",
        "domainname",
        "endpoint_mode",
        "failure_action",
        "hostname",
        "max_failure_ratio",
        "max_replicas_per_node",
        "mem_limit",
        "memswap_limit",
        "monitor",
        "parallelism",
        "pids_limit",
        "preferences",
        "pull_policy",
        "restart_policy",
        "rollback_config",
        "scale",
        "shm_size",
        "start_interval",
        "ulimits",
    }
)


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
