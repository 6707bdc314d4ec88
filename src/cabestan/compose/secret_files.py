"""Reads `secrets`: the secrets of the environment that a service gets as files, at `/run/secrets/NAME`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import SecretFile
from cabestan.compose.nodes import Field, Scalar

#: where the engine puts them
FOLDER = "/run/secrets/"
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_OCTAL = re.compile(r"0?[0-7]{3}", re.ASCII)
_ALL_BITS = 0o777


def declared_secrets(report: Report, field: Field | None) -> Mapping[str, str]:
    """The top level: the name that services use to the name of the environment's secret."""
    if field is None or field.empty or not fields.table(report, field):
        return {}
    found = {key: _declared(report, key, secret) for key, secret in field.entries()}
    return {key: name for key, name in found.items() if name}


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

    def read(self, field: Field) -> tuple[SecretFile, ...]:
        files = [file for item in fields.members(self.report, field) if (file := self._one(item))]
        taken: set[str] = set()
        for file in files:
            if file.target in taken:
                message = f"Two secrets would be the file {FOLDER}{file.target}."
                self.report.error("given-twice", file.spot, message, "Give one of them another target.")
            taken.add(file.target)
        return tuple(files)

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
            uid=self._owner(item.get("uid")),
            gid=self._owner(item.get("gid")),
            mode=self._mode(item.get("mode")),
        )

    def _source(self, field: Field) -> tuple[str, str] | None:
        """The environment's secret, and the name of its file where no other is given."""
        key = fields.text(self.report, field)
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

    def _owner(self, field: Field | None) -> str | None:
        if field is None:
            return None
        value = field.node.value if isinstance(field.node, Scalar) else None
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and _NUMBER.fullmatch(text):
            return text
        fields.wrong(self.report, field, 'a number in quotes such as "1001"')
        return None

    def _mode(self, field: Field | None) -> int | None:
        if field is None:
            return None
        value = field.node.value if isinstance(field.node, Scalar) else None
        if isinstance(value, str) and _OCTAL.fullmatch(value):
            value = int(value, 8)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _ALL_BITS:
            return value
        fields.wrong(self.report, field, "file permissions such as 0440")
        return None
