"""A committed `.env`: it is for development. What would be otherwise in deployment is worth a warning.

Pure, for the plan of a deployment and for checks on a developer's machine alike.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.nodes import Field, root_field, services_of
from cabestan.compose.source import read_yaml

FILE = ".env"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*(?:=\s*(.*?))?\s*", re.ASCII)
#: `$$` is no variable, and takes the dollar sign away from what follows
_REFERENCE = re.compile(r"\$(?:\$|\{?([A-Za-z_][A-Za-z0-9_]*))", re.ASCII)
_COMMENT = re.compile(r"\s+#.*")
#: such a file stands in for what Cabestan sets itself: these names differ by design
_STAND_INS = "CI_"
#: what managed services set in a deployment, whatever stands in such a file
_MANAGED = re.compile(r"(?:MYSQL|POSTGRES|MONGODB|REDIS|MAILS|INFLUXDB)_\w+", re.ASCII)
_REMEDY = "For deployments, set it as a variable or a secret of the project; .env is for development only."
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    value: str
    line: int
    #: it stands in single quotes, in which no variable is filled in
    literal: bool = False


def read_dotenv(text: str) -> tuple[Assignment, ...]:
    """The assignments of a `.env`, the last one of each name, as Compose reads them. Other lines are passed over."""
    found: dict[str, Assignment] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match and match[2] is not None:
            found[match[1]] = Assignment(match[1], _unquoted(match[2]), number, _is_literal(match[2]))
    return tuple(found.values())


def check_dotenv(
    dotenv: str, compose: Iterable[str], platform: Mapping[str, str], hidden: Collection[str] = ()
) -> tuple[Finding, ...]:
    """Warnings for names that the Compose files (their texts) use and that are otherwise in deployment, or not there.

    `platform` is what a deployment has; the values of the names in `hidden` are not told.
    """
    roots = [root for text in compose if (root := _compose_file(text))]
    if any(_names_it(root) for root in roots):  # services get it as it is
        return ()
    used = {name for root in roots for name in _used_names(root)}
    return tuple(_findings(read_dotenv(dotenv), used, platform, frozenset(hidden)))


def _compose_file(text: str) -> Field | None:
    """None for another file that services get: whatever stands in it, it is no use of a variable."""
    try:
        root = root_field(read_yaml(text, ""))
    except ComposeRefused:
        return None
    return root if root.get("services") else None


def _names_it(root: Field) -> bool:
    for _, service in services_of(root):
        env_file = service.get("env_file")
        for item in (env_file, *env_file.items()) if env_file else ():
            path = (item.get("path") or item).text
            if path and posixpath.normpath(path) == FILE:
                return True
    return False


def _used_names(root: Field) -> Iterator[str]:
    """The variables that a Compose file takes from outside: `${NAME}`, and `NAME:` or `- NAME` under environment.

    A name with a value is the file's own.
    """
    left = [root]
    while left:
        field = left.pop()
        yield from (match[1] for match in _REFERENCE.finditer(field.text) if match[1])
        left += (*field.items(), *(value for _, value in field.entries()))
    for _, service in services_of(root):
        if (environment := service.get("environment")) is not None:
            yield from (name for name, value in environment.entries() if value.empty)
            yield from (item.text for item in environment.items() if item.text and "=" not in item.text)


def _findings(
    assignments: Iterable[Assignment], used: Collection[str], platform: Mapping[str, str], hidden: frozenset[str]
) -> Iterator[Finding]:
    for one in assignments:
        if one.name not in used or one.name.startswith(_STAND_INS) or platform.get(one.name) == one.value:
            continue
        if one.name not in platform and _MANAGED.fullmatch(one.name):
            continue
        if one.name not in platform:
            message = f"{one.name} is set in {FILE} alone: a deployment does not have it."
        elif one.name in hidden:
            message = f"{one.name} in {FILE} is not what a deployment has."
        else:
            message = f"{one.name} is {_shown(one.value)} in {FILE} and {_shown(platform[one.name])} in a deployment."
        yield Finding("env-file-differs", "warning", FILE, one.line, 1, one.name, message, _REMEDY)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return _COMMENT.sub("", text)


def _is_literal(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] == "'"


def _shown(value: str) -> str:
    return repr(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…")
