"""Texts as Swarm must be given them: it fills in Go templates (`{{…}}`) in parts of a service's specification.

What stands there is meant as it is written, as with `docker compose`: a run of `{` becomes an action that yields
just that run, so that whoever expands the text gets the one that was meant, and nothing else is ever evaluated. The
parts are those of swarmkit's template/expand.go: values of variables, the host name, and of each mount source, target,
labels and driver's options. Secrets and configs are expanded only where their own specification asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Turn = Callable[[str], str]

#: Also a single `{` at the end, or before a reference to a secret: what comes behind may begin with another one.
_RUN = re.compile(r"\{{2,}|\{(?=\Z|\$\{)")
_ACTION = re.compile(r'\{\{"(\{+)"\}\}')


def literal(text: str) -> str:
    """The text as a template that yields it; one such text may be put behind another."""
    return _RUN.sub(lambda run: f'{{{{"{run[0]}"}}}}', text)


def meant(template: str) -> str:
    """The text that `literal` made this of."""
    return _ACTION.sub(r"\1", template)


def turned_service(service: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    """A service of a stack file with all that Swarm will expand turned."""
    found = dict(service)
    if "environment" in found:
        found["environment"] = _values(found["environment"], turn)
    if "hostname" in found:
        found["hostname"] = turn(found["hostname"])
    if "volumes" in found:
        found["volumes"] = [_turned_mount(mount, turn) for mount in found["volumes"]]
    return found


def turned_volume(volume: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    """A volume of a stack file: its mounts take name, labels and options from here."""
    found = dict(volume)
    if "name" in found:
        found["name"] = turn(found["name"])
    return found | {key: _values(found[key], turn) for key in ("labels", "driver_opts") if key in found}


def literal_task(template: Mapping[str, Any]) -> dict[str, Any]:
    """The `TaskTemplate` of the engine's API, so that each text arrives as it stands in it."""
    container = dict(template["ContainerSpec"])
    if "Env" in container:
        container["Env"] = [_literal_value(variable) for variable in container["Env"]]
    if "Hostname" in container:
        container["Hostname"] = literal(container["Hostname"])
    if "Mounts" in container:
        container["Mounts"] = [_literal_mount(mount) for mount in container["Mounts"]]
    return {**template, "ContainerSpec": container}


def _turned_mount(mount: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    """The source of a volume is a key of the file, by which it is found."""
    keys = ("target",) if mount.get("type") == "volume" else ("source", "target")
    return {**mount, **{key: turn(mount[key]) for key in keys if key in mount}}


def _literal_value(variable: str) -> str:
    name, given, value = variable.partition("=")
    return name + given + literal(value)


def _literal_mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    found = {**mount, **{key: literal(mount[key]) for key in ("Source", "Target") if key in mount}}
    if options := found.get("VolumeOptions"):
        found["VolumeOptions"] = _literal_options(options)
    return found


def _literal_options(options: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(options)
    if labels := found.get("Labels"):
        found["Labels"] = _values(labels, literal)
    if driver := found.get("DriverConfig"):
        found["DriverConfig"] = {**driver, "Options": _values(driver.get("Options") or {}, literal)}
    return found


def _values(texts: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
    return {name: turn(text) if isinstance(text, str) else text for name, text in texts.items()}
