"""Reads one service of a Compose file into the model, and reports what it may not say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Literal

from cabestan.compose import fields, policy
from cabestan.compose.asked import Questions
from cabestan.compose.configs import Text, read_configs
from cabestan.compose.deploying import read_cpus, read_deploy, read_replicas
from cabestan.compose.env_files import EnvFileReader
from cabestan.compose.findings import Report
from cabestan.compose.model import CommitFile, Dependency, Deploy, Link, Restart, Service
from cabestan.compose.mounts import MountReader
from cabestan.compose.networks import read_networks
from cabestan.compose.nodes import Field, Items, Scalar, Spot, Table
from cabestan.compose.observing import read_healthcheck, read_logging
from cabestan.compose.ports import read_expose, read_ports
from cabestan.compose.secret_files import SecretReader

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)
#: without dots, so that it hides no host of the outside from the router, which is in the environment's network too
_ALIAS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", re.ASCII)
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_USER = re.compile(r"(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})(?::(?:[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10}))?", re.ASCII)
_DIRECTORY = re.compile(r"/[^\0\n]{0,255}")
_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9]{1,9}(?:[+-][0-9]{1,2})?|[0-9]{1,2}", re.ASCII)
_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")
#: labels that the platform and the engine live by
_RESERVED_LABELS = ("cabestan.", "com.docker.", "io.docker.", "org.dockerproject.")


@dataclass(slots=True)
class ServiceReader:
    """Reads services; `variables` fills in the environment's names that have no value of their own."""

    report: Report
    variables: Mapping[str, str]
    mounts: MountReader
    secrets: SecretReader
    configs: Mapping[str, Text | None]
    env_files: EnvFileReader
    questions: Questions = field(default_factory=Questions)
    readers: Mapping[str, Callable[[Field], object]] = field(init=False)

    def __post_init__(self) -> None:
        self.readers = self._readers()

    def read(self, name: str, field: Field) -> Service | None:
        """The service, or nothing where it is not even a mapping; what is wrong in it is in the report."""
        if not _NAME.fullmatch(name):
            remedy = "Use up to 40 lower-case letters, digits, - and _, a letter or digit first and last."
            self.report.error("service-name", field.key_spot, f"{name[:80]!r} cannot name a service.", remedy)
        if not fields.table(self.report, field, policy.SERVICE):
            return None
        known: dict[str, Any] = {}
        self.mounts.commit.begin(field)
        for key, value in field.entries():
            read = self.readers.get(key)
            if read is not None and (result := read(value)) is not None:
                known[key] = result
        self.mounts.check_targets((*known.get("volumes", ()), *known.get("tmpfs", ()), *known.get("shm_size", ())))
        self._image_is_named(field)
        known["files"] = self._files(field, known)
        known |= self._named(name, field)
        return _assemble(name, field, known)

    def _readers(self) -> dict[str, Callable[[Field], object]]:
        report = self.report
        return {
            "image": lambda field: fields.matching(report, field, _IMAGE, "the name of an image"),
            "command": self._command,
            "entrypoint": self._command,
            "environment": self._environment,
            "expose": lambda field: read_expose(report, field),
            "ports": lambda field: read_ports(report, field),
            "healthcheck": lambda field: read_healthcheck(report, field),
            "volumes": self.mounts.volumes_key,
            "tmpfs": self.mounts.tmpfs_key,
            "restart": self._restart,
            "depends_on": self._depends_on,
            "links": self._links,
            "labels": self._labels,
            "deploy": lambda field: read_deploy(report, field),
            "stop_grace_period": lambda field: fields.duration(report, field),
            "stop_signal": lambda field: fields.matching(report, field, _SIGNAL, "a signal such as SIGTERM"),
            "user": self._user,
            "working_dir": lambda field: fields.matching(report, field, _DIRECTORY, "an absolute path"),
            "extra_hosts": self._extra_hosts,
            "read_only": lambda field: fields.flag(report, field),
            "tty": lambda field: fields.flag(report, field),
            "stdin_open": lambda field: fields.flag(report, field),
            "init": lambda field: fields.flag(report, field),
            "logging": lambda field: read_logging(report, field),
            "hostname": self._hostname,
            "cpus": lambda field: read_cpus(report, field),
            "mem_limit": lambda field: fields.size(report, field),
            "mem_reservation": lambda field: fields.size(report, field),
            "scale": lambda field: read_replicas(report, field),
            "shm_size": self.mounts.shared_memory,
            "secrets": self.secrets.read,
            "configs": lambda field: read_configs(report, field, self.configs),
            "env_file": self.env_files.of_service,
        }

    def _files(self, field: Field, known: dict[str, Any]) -> tuple[CommitFile, ...]:
        """All files of the commit that the service gets; reports two at one place."""
        secrets = field.get("secrets")
        committed = self.secrets.of_commit(secrets) if secrets is not None else ()
        files = (*self.mounts.commit.end(), *known.pop("configs", ()), *committed)
        taken = {mount.target for key in ("volumes", "tmpfs") for mount in known.get(key, ())}
        for file in files:
            if file.target in taken:
                message = f"Two volumes or files would be at {file.target}."
                self.report.error("mount-twice", file.spot, message, "Keep one of them.")
            taken.add(file.target)
        return files

    def _image_is_named(self, field: Field) -> None:
        if field.get("image") is None and field.get("build") is None:
            message = "The service has neither an image nor a build."
            remedy = "Add build: with the folder of its Dockerfile, or image: with the name of one."
            self.report.error("no-image", field.key_spot, message, remedy)

    def _command(self, field: Field) -> tuple[str, ...]:
        words = fields.words(self.report, field)
        if not words and field.value in (None, "") and isinstance(field.node, Items | Scalar):
            key = field.path.rpartition(".")[2]
            message = f"An empty {key} leaves the image's own in place."
            self.report.warn("empty-command", field.spot, message, f"Remove {key}.")
        return words

    def _environment(self, field: Field) -> dict[str, str]:
        environment: dict[str, str] = {}
        for name, (value, place) in self._pairs(field).items():
            if not _VARIABLE.fullmatch(name):
                message = f"{name[:80]!r} cannot name a variable."
                self.report.error("variable-name", place.key_spot, message, "Use letters, digits and _.")
                continue
            if value is None:
                self.questions.note(place.key_spot, name)
            if value is not None:
                environment[name] = value
            elif name in self.variables:
                environment[name] = self.variables[name]
            else:
                message = f"{name} has no value here and none in the environment; it is left out."
                self.report.warn("variable-unset", place.key_spot, message, f"Set {name}, or remove it.")
        return environment

    def _restart(self, field: Field) -> Restart | None:
        if isinstance(field.value, bool):
            wanted = "always" if field.value else '"no"'
            message = f"{field.text} is no restart policy."
            self.report.error("wrong-value", field.spot, message, f"Write {wanted}.")
            return None
        value = fields.text(self.report, field)
        if value is None:
            return None
        kind, colon, attempts = value.partition(":")
        if kind == "on-failure" and (not colon or re.fullmatch("[1-9][0-9]{0,3}", attempts, re.ASCII)):
            return Restart("on-failure", int(attempts) if colon else None)
        conditions: dict[str, Literal["any", "none"]] = {
            "always": "any",
            "unless-stopped": "any",
            "no": "none",
        }
        if value not in conditions:
            remedy = 'Write always, unless-stopped, on-failure, on-failure:3 or "no".'
            self.report.error("wrong-value", field.spot, f"{value[:80]!r} is no restart policy.", remedy)
            return None
        return Restart(conditions[value])

    def _depends_on(self, field: Field) -> tuple[Dependency, ...]:
        if isinstance(field.node, Table):
            return tuple(self._dependency(name, value) for name, value in field.entries())
        names = ((fields.text(self.report, item), item) for item in fields.members(self.report, field))
        return tuple(Dependency(name, item.spot) for name, item in names if name)

    def _dependency(self, name: str, field: Field) -> Dependency:
        condition = _CONDITIONS[0]
        if fields.table(self.report, field, policy.DEPENDENCY) and (value := field.get("condition")):
            condition = fields.choice(self.report, value, _CONDITIONS) or condition
        required, restart = field.get("required"), field.get("restart")
        if restart:
            fields.flag(self.report, restart)
        is_required = fields.flag(self.report, required) is not False if required else True
        return Dependency(name, field.key_spot, condition, is_required)

    def _links(self, field: Field) -> tuple[tuple[Dependency, ...], tuple[Link, ...]]:
        message = "links is deprecated; it works as depends_on, and a further name leads there in all services."
        self.report.warn("links-deprecated", field.key_spot, message, "Write depends_on.")
        dependencies, links = [], []
        for item in fields.members(self.report, field):
            name, _, alias = (fields.text(self.report, item) or "").partition(":")
            if alias and not _ALIAS.fullmatch(alias):
                self._wrong_alias(item.spot, alias)
            elif name:
                dependencies.append(Dependency(name, item.spot))
                links += [Link(name, alias, item.spot)] if alias not in ("", name) else []
        return tuple(dependencies), tuple(links)

    def _wrong_alias(self, spot: Spot, alias: str) -> None:
        message = f"{alias[:80]!r} is no name within the environment's network."
        if "." in alias:
            message = f"{alias[:80]!r} has a dot: in the environment's network it could hide a host of the outside."
        remedy = "Use letters, digits, - and _, a letter or digit first and last."
        self.report.error("link-alias", spot, message, remedy)

    def _named(self, name: str, field: Field) -> dict[str, Any]:
        """The networks that the service is in, and the further names that it has there."""
        networks: tuple[str, ...] = ()
        names: tuple[Link, ...] = ()
        if (given := field.get("networks")) is not None:
            networks, names = read_networks(self.report, name, given)
        for link in names:
            if not _ALIAS.fullmatch(link.alias):
                self._wrong_alias(link.spot, link.alias)
        if (container := field.get("container_name")) is not None and (text := self._container_name(container)):
            names = (*names, Link(name, text, container.spot))
        return {"names": tuple(one for one in names if one.alias != name)} | (
            {"networks": networks} if networks else {}
        )

    def _container_name(self, field: Field) -> str | None:
        text = fields.text(self.report, field)
        if text is None:
            return None
        if not _ALIAS.fullmatch(text):
            message = f"Swarm names the containers; {text[:80]!r} cannot be a further name of the service."
            self.report.warn("container-name", field.spot, message, "Use the service's name as the host.")
            return None
        message = f"Swarm names the containers; {text} is a further name of the service in its networks."
        self.report.warn("container-name", field.spot, message, "Use the service's name, and remove container_name.")
        return text

    def _hostname(self, field: Field) -> str | None:
        text = fields.matching(self.report, field, _HOST_NAME, "the name of a host")
        if text is not None:
            further = "" if "." in text else ", and a further name of the service in its networks"
            message = f"{text} is the host's name in each of the service's containers{further}."
            self.report.warn("hostname", field.spot, message, "Use the service's name, and remove hostname.")
        return text

    def _labels(self, field: Field) -> dict[str, str]:
        found = self._pairs(field).items()
        return {name: value or "" for name, (value, place) in found if self._label_is_allowed(name, place)}

    def _pairs(self, field: Field) -> dict[str, tuple[str | None, Field]]:
        if isinstance(field.node, Table | Items):
            return fields.pairs(self.report, field)
        fields.wrong(self.report, field, "a mapping or a list")
        return {}

    def _label_is_allowed(self, name: str, place: Field) -> bool:
        if not _LABEL.fullmatch(name):
            message = f"{name[:80]!r} cannot name a label."
            self.report.error("label-name", place.key_spot, message, "Use letters, digits and . _ - /.")
            return False
        if name.lower().startswith(_RESERVED_LABELS):
            message = f"The label {name} belongs to the platform or to the engine."
            self.report.error("label-reserved", place.key_spot, message, "Choose another name.")
        return True

    def _user(self, field: Field) -> str | None:
        user = fields.matching(self.report, field, _USER, "a user such as app or 1001:1001")
        name = user.partition(":")[0] if user else ""
        if name == "root" or (name.isdigit() and int(name) == 0):
            self.report.error("no-root", field.spot, "The user root is not allowed.", "Use another, such as 1001.")
        return user

    def _extra_hosts(self, field: Field) -> tuple[str, ...]:
        if not isinstance(field.node, Table | Items):
            fields.wrong(self.report, field, "a mapping or a list", 'Write extra_hosts: ["NAME:ADDRESS"].')
            return ()
        lines = dict.fromkeys(line for name, address in self._host_lines(field) if (line := self._host(name, address)))
        return tuple(lines)

    def _host_lines(self, field: Field) -> Iterator[tuple[str, Field]]:
        """Each name with the field that its address stands in, after the name or alone."""
        for item in field.items():
            yield "", item
        for name, value in field.entries():
            for address in value.items() if isinstance(value.node, Items) else (value,):
                yield name, address

    def _host(self, name: str, field: Field) -> str | None:
        """A line `NAME:address`."""
        text = fields.text(self.report, field)
        if text is None:
            return None
        if not name:
            name, text = (*re.split("[=:]", text, maxsplit=1), "")[:2]
        with suppress(ValueError):
            parsed = ip_address(text.removeprefix("[").removesuffix("]"))
            if _HOST.fullmatch(name) and "%" not in text:  # a zone may be any text, also of several lines
                return f"{name}:{parsed}"
        message = f"{name[:80]!r} does not lead to an address."
        self.report.error("wrong-value", field.spot, message, "Write NAME:10.0.0.1.")
        return None


def _assemble(name: str, field: Field, known: dict[str, Any]) -> Service:
    """The service of what was read; keys that mean the same are joined."""
    known["expose"] = tuple(dict.fromkeys((*known.get("expose", ()), *known.pop("ports", ()))))
    known["environment"] = {**known.pop("env_file", {}), **known.get("environment", {})}
    known["mounts"] = (*known.pop("volumes", ()), *known.pop("tmpfs", ()), *known.pop("shm_size", ()))
    known["deploy"] = _deploy(known)
    if known["deploy"].restart is not None:
        known.setdefault("restart", known["deploy"].restart)
    linked, known["links"] = known.pop("links", ((), ()))
    depends_on = (*known.get("depends_on", ()), *linked)
    known["depends_on"] = tuple({dependency.service: dependency for dependency in reversed(depends_on)}.values())
    known.setdefault("image", "")
    return Service(name=name, spot=field.key_spot, places=_places(field), **known)


def _deploy(known: dict[str, Any]) -> Deploy:
    """With what the keys of old say, where `deploy` does not."""
    found: Deploy = known.get("deploy", Deploy())
    cpus, memory, reserved = (known.pop(key, None) for key in ("cpus", "mem_limit", "mem_reservation"))
    limits, kept = found.limits, found.reservations
    scale = known.pop("scale", None)
    return replace(
        found,
        replicas=scale if found.replicas is None else found.replicas,
        limits=replace(limits, cpus=limits.cpus or cpus, memory=limits.memory or memory),
        reservations=replace(kept, memory=kept.memory or reserved),
    )


def _places(field: Field) -> dict[str, Spot]:
    """Where the keys of the service stand, and the keys one level below."""
    places: dict[str, Spot] = {}
    for key, value in field.entries():
        places[key] = value.spot
        places |= {f"{key}.{inner}": below.spot for inner, below in value.entries()}
        if key in ("labels", "environment"):
            lines = ((item.node.text, item) for item in value.items() if isinstance(item.node, Scalar))
            places |= {f"{key}.{line.partition('=')[0]}": item.spot for line, item in lines}
    return places
