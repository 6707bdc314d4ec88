"""Reads `env_file`: variables of a service out of files of the commit, the same in every environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cabestan.compose import fields, policy
from cabestan.compose.commit_files import Read, path_within, refused_link
from cabestan.compose.dotenv import read_dotenv
from cabestan.compose.findings import Report
from cabestan.compose.interpolate import InterpolationRefused, expand
from cabestan.compose.nodes import Field, Items, Spot
from cabestan.domain.tree import LINK_REMEDY

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_MOST_FILES = 16
_LIST = "List the variables under environment."


@dataclass(frozen=True, slots=True)
class EnvFileReader:
    """`folder` is the project's, that paths are seen from; `variables` are those that values may use."""

    report: Report
    read: Read
    folder: str
    variables: Mapping[str, str]

    def of_service(self, field: Field) -> dict[str, str]:
        """The variables of all the files, those of later files over those of earlier ones."""
        items = tuple(field.items()) if isinstance(field.node, Items) else (field,)
        if len(items) > _MOST_FILES:
            message = f"The service has {len(items)} files of variables, more than {_MOST_FILES}."
            self.report.error("too-many-files", field.key_spot, message, "Join some of them.")
            return {}
        found: dict[str, str] = {}
        for item in items:
            found |= dict(self._one(item))
        message = "The variables come from the commit: they are the same in every environment, and no secrets."
        self.report.warn("env-file", field.key_spot, message, _LIST)
        return found

    def _one(self, item: Field) -> Iterator[tuple[str, str]]:
        place, required, raw = item, True, False
        if (path := item.get("path")) is not None:
            fields.table(self.report, item, policy.ENV_FILE)
            needed, form = item.get("required"), item.get("format")
            required = fields.flag(self.report, needed) is not False if needed else True
            raw = fields.choice(self.report, form, ("raw",)) is not None if form else False
            place = path
        written = fields.text(self.report, place)
        if written is None:
            return
        full = path_within(self.folder, written)
        if full is None:
            message = f"{written[:80]!r} is no plain path within the repository."
            self.report.error("env-file-path", place.spot, message, "Write a relative path such as web.env.")
            return
        text = self.read(full)
        if text is not None:
            yield from self._values(full, text, raw=raw)
        else:
            self._missing(full, place.spot, required=required)

    def _missing(self, path: str, spot: Spot, *, required: bool) -> None:
        """Of a link it is told where it need not be there, too: on a machine there may be a file behind it."""
        if words := refused_link(self.read, path):
            (self.report.error if required else self.report.warn)("link-refused", spot, words, LINK_REMEDY)
        elif required:
            message = f"The commit has no file {path[:80]}, or it is too large or no text."
            self.report.error("env-file-path", spot, message, f"Commit it. {_LIST}")

    def _values(self, path: str, text: str, *, raw: bool) -> Iterator[tuple[str, str]]:
        for one in read_dotenv(text):
            spot = Spot(one.line, 1, "", path)
            if not _VARIABLE.fullmatch(one.name):
                message = f"{one.name[:80]!r} cannot name a variable."
                self.report.error("variable-name", spot, message, "Use letters, digits and _.")
            else:
                yield one.name, one.value if raw or one.literal else self._filled(one.value, spot)

    def _filled(self, value: str, spot: Spot) -> str:
        try:
            expansion = expand(value, self.variables)
        except InterpolationRefused as error:
            self.report.error("interpolation", spot, error.message, error.remedy)
            return value
        for name in expansion.unset:
            message = f"The variable {name} is not set; it is empty here."
            self.report.warn("variable-unset", spot, message, f"Set it, or write ${{{name}:-default}}.")
        return expansion.text
