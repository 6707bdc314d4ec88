"""Services that run by the clock: what their labels say, when they are due, and how that reads.

The syntax is that of Debian's cron, daylight saving included (cronsim does the arithmetic): a time that the clocks
skip is due right after the gap, a time that comes twice is due once, and `*` in minutes or hours follows real time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal, cast

from cronsim import CronSim, CronSimError

from cabestan.compose.findings import Report
from cabestan.compose.model import ComposeFile, Service
from cabestan.compose.placeholder import holds_secret
from cabestan.errors import Invalid

Overlap = Literal["forbid", "allow", "replace"]

PREFIX = "sh.factory.cronjob."
_SCHEDULE, _COMMAND = f"{PREFIX}schedule", f"{PREFIX}command"
_OVERLAP, _TIMEOUT, _RETRIES = f"{PREFIX}overlap", f"{PREFIX}timeout", f"{PREFIX}retries"
_LABELS = (_SCHEDULE, _COMMAND, _OVERLAP, _TIMEOUT, _RETRIES)
_FORMS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EXAMPLE = 'Write five fields such as "15 3 * * mon-fri", or @hourly, @daily, @weekly, @monthly, @yearly.'
_FIELDS = 5
_LONGEST = 200
_OVERLAPS = ("forbid", "allow", "replace")
_MOST_RETRIES = 10
_LONGEST_TIMEOUT = 7 * 24 * 3600
_TIME = re.compile(r"([1-9][0-9]{0,6})([smh]?)", re.ASCII)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SHELLS = ("bash", "sh")


@dataclass(frozen=True, slots=True)
class CronJob:
    """What the labels of a service ask for. `timeout_seconds` of 0 is the installation's own bound."""

    schedule: str
    command: str
    overlap: Overlap = "forbid"
    timeout_seconds: int = 0
    retries: int = 0


def normal_form(schedule: str) -> str:
    """Five fields. Raises Invalid for what cron does not take, or would never come."""
    text = " ".join(schedule.split())
    if text.lower() == "@reboot":
        raise Invalid(
            "@reboot means nothing here: containers have no boot.",
            'Use a service with restart: "no", which runs at each deployment.',
        )
    fields = _FORMS.get(text.lower(), text)
    if len(fields) > _LONGEST or len(fields.split()) != _FIELDS:
        raise Invalid(f"{text[:80]!r} is no schedule of cron.", _EXAMPLE)
    try:
        next(CronSim(fields, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, ValueError) as error:
        raise Invalid(f"{text[:80]!r} is no schedule of cron: {error}.", _EXAMPLE) from error
    except StopIteration as error:
        raise Invalid(f"{text[:80]!r} is never due.", "Name a day that there is.") from error
    return fields


def due_after(schedule: str, zone: tzinfo, after: datetime) -> datetime | None:
    """The first due time later than `after`, in UTC; None where none comes in fifty years.

    `schedule` is in normal form.
    """
    return next(due_times(schedule, zone, after), None)


def due_between(
    schedule: str, zone: tzinfo, first: datetime, until: datetime, most: int
) -> tuple[tuple[datetime, ...], datetime | None]:
    """`first`, which is a due time, and those after it up to and with `until`: the last `most` of them.

    And the first one later than that.
    """
    found = [first]
    for due in due_times(schedule, zone, first):
        if due > until:
            return tuple(found), due
        found.append(due)
        del found[:-most]
    return tuple(found), None


def due_times(schedule: str, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """Those later than `after`, in UTC, strictly rising.

    In the hour that comes twice cronsim gives times of its first coming, which may be over.
    """
    latest = after
    for local in CronSim(schedule, after.astimezone(zone)):
        due = local.astimezone(UTC)
        if due > latest:
            yield (latest := due)


def in_words(schedule: str) -> str:
    """`At 03:15 on Monday through Friday`, from the normal form."""
    return CronSim(schedule, datetime(2024, 1, 1, tzinfo=UTC)).explain()


def bash_words(entrypoint: tuple[str, ...], command: str) -> tuple[str, ...]:
    """What comes after the entrypoint so that bash runs the command: the entrypoint may be a shell itself."""
    is_shell = bool(entrypoint) and entrypoint[-1].rpartition("/")[2] in _SHELLS
    return ("-c", command) if is_shell else ("bash", "-c", command)


def cron_job(service: Service) -> CronJob | None:
    """What a checked service asks for; None where it does not run by the clock."""
    if not service.by_the_clock:
        return None
    labels = service.labels
    return CronJob(
        schedule=normal_form(labels[_SCHEDULE]),
        command=labels[_COMMAND],
        overlap=cast("Overlap", labels.get(_OVERLAP, "forbid").strip()),
        timeout_seconds=_seconds(labels[_TIMEOUT]) if _TIMEOUT in labels else 0,
        retries=int(labels.get(_RETRIES, "0")),
    )


def check_cron_jobs(report: Report, compose: ComposeFile) -> None:
    """Reports schedules that are half given or cannot be read."""
    for service in compose.services:
        if service.by_the_clock:
            _check_labels(report, service, service.labels)


def _check_labels(report: Report, service: Service, labels: Mapping[str, str]) -> None:
    for name in labels:
        if name.lower().startswith(PREFIX) and name not in _LABELS:
            remedy = f"Remove it. There are {', '.join(_LABELS)}."
            _wrong(report, service, name, f"The label {name} is not known.", remedy)
    for name, other in ((_SCHEDULE, _COMMAND), (_COMMAND, _SCHEDULE)):
        if name not in labels:
            given = other if other in labels else next(n for n in labels if n.lower().startswith(PREFIX))
            _wrong(report, service, given, f"{given} needs {name} beside it.", f"Add {name}, or remove {given}.")
            return
    if not labels[_COMMAND].strip():
        _wrong(report, service, _COMMAND, "The command is empty.", f"Write a command for bash -c in {_COMMAND}.")
    if any(holds_secret(labels[name]) for name in _LABELS if name in labels):
        message = "A secret in a label would show in lists and pages."
        _wrong(report, service, _COMMAND, message, "Put it into environment, and write $$NAME in the command.")
    _check_values(report, service, labels)


def _check_values(report: Report, service: Service, labels: Mapping[str, str]) -> None:
    try:
        normal_form(labels[_SCHEDULE])
    except Invalid as error:
        _wrong(report, service, _SCHEDULE, error.message, error.remedy)
    if labels.get(_OVERLAP, "forbid").strip() not in _OVERLAPS:
        _wrong(report, service, _OVERLAP, f"{labels[_OVERLAP][:40]!r} is no policy.", f"Write {', '.join(_OVERLAPS)}.")
    if _TIMEOUT in labels and not 1 <= _seconds(labels[_TIMEOUT]) <= _LONGEST_TIMEOUT:
        message = f"{labels[_TIMEOUT][:40]!r} is no time from 1 s to 7 days."
        _wrong(report, service, _TIMEOUT, message, "Write 90s, 30m or 2h.")
    retries = labels.get(_RETRIES, "0")
    if not (retries.isascii() and retries.isdigit() and len(retries) < 3 and int(retries) <= _MOST_RETRIES):
        message = f"{retries[:40]!r} is no number of retries."
        _wrong(report, service, _RETRIES, message, f"Write a number from 0 to {_MOST_RETRIES}.")


def _seconds(text: str) -> int:
    """0 for what is no time."""
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2]] if found else 0


def _wrong(report: Report, service: Service, label: str, message: str, remedy: str) -> None:
    report.error("cronjob", service.place(f"labels.{label}"), message, remedy)
