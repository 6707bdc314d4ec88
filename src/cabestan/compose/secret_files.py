"""Reads `secrets`: the secrets of the environment that a service gets as files, at `/run/secrets/NAME`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import CommitFile, SecretFile
from cabestan.compose.nodes import Field, Scalar

#: where the engine puts them
FOLDER = "/run/secrets/"
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_OCTAL = re.compile(r"0?[0-7]{3}", re.ASCII)
_ALL_BITS = 0o777


def declared_secrets(report: Report, field: Field | None) -> Mapping[str, str]:
    """The top level: the name that services use to the name of the environment's secret.

    Left out are those that are files of the commit.
    """
    own = ((key, secret) for key, secret in fields.entries(report, field) if secret.get("file") is None)
    return {key: name for key, secret in own if (name := _declared(report, key, secret))}


def committed_secrets(report: Report, field: Field | None) -> Mapping[str, Field]:
    """Those that are files of the commit, each with the field that names its file."""
    found: dict[str, Field] = {}
    for key, secret in field.entries() if field is not None else ():
        if (file := secret.get("file")) is None:
            continue
        fields.table(report, secret, policy.SECRET)
        message = "The secret is a file of the commit: whoever may read the repository knows it."
        remedy = f"Set it in the environment, and write `environment: {_as_variable(key)}` instead of file."
        report.warn("secret-file", file.key_spot, message, remedy)
        found[key] = file
    return found


def _as_variable(key: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", key).strip("_").upper()[:80]
    return name if _SECRET.fullmatch(name) else "API_KEY"


def _declared(report: Report, key: str, field: Field) -> str:
    if not field.empty and fields.table(report, field, policy.SECRET):
        if (external := field.get("external")) is not None and fields.flag(report, external) is False:
            report.error("wrong-value", external.spot, "The environment keeps its secrets.", "Write external: true.")
        if (variable := field.get("environment")) is not None:
            return fields.matching(report, variable, _SECRET, "the name of a secret such as API_KEY") or ""
    if not _SECRET.fullmatch(key):
        remedy = "Use letters, digits and _, or name the secret: environment: API_KEY."
        report.error("secret-name", field.key_spot, f"{key[:80]!r} cannot name a secret of the environment.", remedy)
        return ""
    return key


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads a service's `secrets`. What is not declared at the top level names a secret of the environment itself."""

    report: Report
    declared: Mapping[str, str]
    #: those that are files of the commit
    committed: Mapping[str, CommitFile | None] = dataclass_field(default_factory=dict)

    def read(self, field: Field) -> tuple[SecretFile, ...]:
        items = (item for item in fields.members(self.report, field) if self._key(item) not in self.committed)
        files = [file for item in items if (file := self._one(item))]
        taken: set[str] = set()
        for file in files:
            if file.target in taken:
                message = f"Two secrets would be the file {FOLDER}{file.target}."
                self.report.error("given-twice", file.spot, message, "Give one of them another target.")
            taken.add(file.target)
        return tuple(files)

    def of_commit(self, field: Field) -> tuple[CommitFile, ...]:
        """Those that are files of the commit."""
        found = []
        for item in field.items():
            file = self.committed.get(self._key(item))
            wish = self._one(item) if file else None
            if file and wish:
                target = FOLDER + wish.target
                found.append(replace(file, target=target, spot=item.spot, uid=wish.uid, gid=wish.gid, mode=wish.mode))
        return tuple(found)

    def _key(self, item: Field) -> str:
        return (item.get("source") or item).text

    def _one(self, item: Field) -> SecretFile | None:
        if isinstance(item.node, Scalar):
            source = self._source(item)
            return SecretFile(*source, item.spot) if source else None
        if not fields.table(self.report, item, policy.SERVICE_SECRET):
            return None
        given = item.get("source")
        source = self._source(given) if given is not None else None
        if source is None:
            if given is None:
                self.report.error("no-value", item.spot, "The secret is not named.", "Add source: API_KEY.")
            return None
        name, target = source
        place = item.get("target")
        return SecretFile(
            secret=name,
            target=(self._target(place) if place is not None else None) or target,
            spot=item.spot,
            uid=read_owner(self.report, item.get("uid")),
            gid=read_owner(self.report, item.get("gid")),
            mode=read_mode(self.report, item.get("mode")),
        )

    def _source(self, field: Field) -> tuple[str, str] | None:
        """The environment's secret, and the name of its file where no other is given."""
        key = fields.text(self.report, field)
        if key is not None and key in self.committed and _FILE.fullmatch(key):
            return key, key
        if key is None or key in self.declared:
            return None if key is None else (self.declared[key], key)
        if not _SECRET.fullmatch(key):
            message = f"{key[:80]!r} cannot name a secret."
            self.report.error("secret-name", field.spot, message, "Use letters, digits and _, as in API_KEY.")
            return None
        return key, key

    def _target(self, field: Field) -> str | None:
        text = fields.text(self.report, field)
        file = text.removeprefix(FOLDER) if text else None
        if file and not _FILE.fullmatch(file):
            message = f"{text!r:.80} is not a file in {FOLDER}."
            self.report.error("secret-target", field.spot, message, "Write a plain name such as api_key.")
            return None
        return file


def read_owner(report: Report, field: Field | None) -> str | None:
    if field is None:
        return None
    value = field.value
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        return text
    fields.wrong(report, field, 'a number in quotes such as "1001"')
    return None


def read_mode(report: Report, field: Field | None) -> int | None:
    if field is None:
        return None
    value = field.value
    if isinstance(value, str) and _OCTAL.fullmatch(value):
        value = int(value, 8)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _ALL_BITS:
        return value
    fields.wrong(report, field, "file permissions such as 0440")
    return None
