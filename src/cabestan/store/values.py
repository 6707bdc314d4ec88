"""JSON text to and from the domain's frozen values, by their types."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from cabestan.domain.pipeline import BuildJob, JobKind, JobSpec, LintJob, PlannedJob, ScriptJob
from cabestan.domain.route import Probe

_Read = Callable[[Any], Any]


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, PlannedJob):
        return {"kind": value.kind, **asdict(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else asdict(value)


@cache
def reader(kind: Any) -> _Read:
    """What makes a value of a type of what JSON has of it: tuples, maps, members, times, dataclasses, in each other."""
    if kind == JobSpec:
        return _spec
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return _several(inner[0]) if inner[1:] == (...,) else _each(inner)
    if get_origin(kind) is Mapping:
        return _named(inner[1])
    if inner:
        return _optional(inner[0])
    if is_dataclass(kind):
        return _whole(kind)
    if kind is datetime:
        return datetime.fromisoformat
    return kind if issubclass(kind, StrEnum) else _same


def _same(raw: Any) -> Any:
    return raw


def _several(kind: Any) -> _Read:
    read = reader(kind)
    return tuple if read is _same else lambda raw: tuple(map(read, raw))


def _each(kinds: tuple[Any, ...]) -> _Read:
    reads = tuple(map(reader, kinds))
    return lambda raw: tuple(read(part) for read, part in zip(reads, raw, strict=True))


def _named(kind: Any) -> _Read:
    read = reader(kind)
    return _same if read is _same else lambda raw: {name: read(value) for name, value in raw.items()}


def _optional(kind: Any) -> _Read:
    read = reader(kind)
    return lambda raw: None if raw is None else read(raw)


def _whole(kind: Any) -> _Read:
    """A dataclass; what its text does not name has its default."""
    reads = {name: read for name, hint in get_type_hints(kind).items() if (read := reader(hint)) is not _same}
    now = _OF_OLD.get(kind, _same)

    def whole(raw: Any) -> Any:
        raw = now(raw)
        return kind(**raw | {name: read(raw[name]) for name, read in reads.items() if name in raw})

    return whole


def _spec(raw: dict[str, Any]) -> JobSpec:
    """Of the kind that it names. Former versions kept more of each than it has, such as the script of a build."""
    kind = _KINDS[JobKind(raw["kind"])]
    names = {field.name for field in fields(kind)}
    made: JobSpec = reader(kind)({name: value for name, value in raw.items() if name in names})
    return made


def _probe_of_old(raw: dict[str, Any] | list[str]) -> dict[str, Any]:
    """Plans of old had host and path alone."""
    return {"host": raw[0], "path": raw[1]} if isinstance(raw, list) else raw


#: what makes of a former form the one of today
_OF_OLD: Mapping[Any, _Read] = {Probe: _probe_of_old}
_KINDS: Mapping[JobKind, Any] = {kind.kind: kind for kind in (BuildJob, ScriptJob, LintJob)}
