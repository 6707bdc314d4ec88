"""Backups of managed services: when one counts as good, which are kept, what is done with them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Self

from cabestan.errors import Invalid

#: table, or `(sequences)` and the like, to its rows and a checksum over them
Manifest = Mapping[str, tuple[int, str]]
#: what a restore may have more than the snapshot: Redis tells it only where nothing expires, and dumps of earlier
#: versions did not tell of owners
_MAY_APPEAR = frozenset({"(all values)", "(owners)"})


class BackupStatus(StrEnum):
    #: it is being written
    RUNNING = "running"
    #: written whole, but not restored yet: it does not count as good
    UNVERIFIED = "unverified"
    #: restored into a scratch instance, where all tables and rows were the same
    VERIFIED = "verified"
    FAILED = "failed"
    #: its files went by the policy
    EXPIRED = "expired"


class Reason(StrEnum):
    """What a backup was made for."""

    SCHEDULED = "scheduled"
    WANTED = "on demand"
    BEFORE_RESTORE = "before a restore"
    BEFORE_UPGRADE = "before an upgrade"
    BEFORE_DELETE = "before the deletion"


@dataclass(frozen=True)
class Backup:
    """`file` is its name under the data folder's `backups`; `here` and `remote` say where it is.

    `bytes` are of the file, `plain_bytes` of what it holds unpacked.
    """

    id: int
    instance_id: int
    reason: Reason
    status: BackupStatus
    detail: str
    file: str
    bytes: int
    plain_bytes: int
    sha256: str
    version: str
    manifest: Manifest
    here: bool
    remote: bool
    created_at: datetime
    taken_at: datetime | None
    verified_at: datetime | None

    @property
    def stored(self) -> bool:
        return self.status in (BackupStatus.UNVERIFIED, BackupStatus.VERIFIED)

    @property
    def tables(self) -> int:
        return sum(1 for name in self.manifest if not name.startswith("("))

    @property
    def rows(self) -> int:
        return sum(rows for name, (rows, _) in self.manifest.items() if not name.startswith("("))

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


class OperationKind(StrEnum):
    """What can be wished of a managed service."""

    BACKUP = "backup"
    VERIFY = "verify"
    RESTORE = "restore"
    UPGRADE = "upgrade"
    DELETE = "delete"


class OperationStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Operation:
    """One wish. `backup_id` is the backup that it is about, `saved_id` the one of the state that it replaces.

    What the service had before it changed over is in `former_…`; empty until then.
    """

    id: int
    instance_id: int
    kind: OperationKind
    status: OperationStatus
    detail: str
    by: str
    backup_id: int | None
    saved_id: int | None
    image: str
    version: str
    volume: str
    former_image: str
    former_version: str
    former_volume: str
    created_at: datetime
    finished_at: datetime | None
    #: what it is a part of, and done by; None for a wish of its own
    deletion_id: int | None = None

    def evolve(self, **changes: Any) -> Self:
        return replace(self, **changes)


def parse_manifest(lines: Iterable[str]) -> Manifest:
    """From the lines `name<TAB>rows<TAB>checksum` that the image's script prints."""
    found = {}
    for line in lines:
        name, rows, checksum = line.rsplit("\t", 2)
        found[name] = (int(rows), checksum)
    return found


def differences(expected: Manifest, found: Manifest) -> tuple[str, ...]:
    """What is not the same after a restore, in words; empty where all is."""
    words = []
    for name, (rows, checksum) in expected.items():
        if name not in found:
            words.append(f"{name} is missing")
        elif found[name][0] != rows:
            words.append(f"{name} has {found[name][0]} rows, not {rows}")
        elif found[name][1] != checksum:
            words.append(f"{name} has other contents in its {rows} rows")
    words += [f"{name} was not there" for name in found if name not in expected and name not in _MAY_APPEAR]
    return tuple(words)


@dataclass(frozen=True)
class Policy:
    """Of so many days, weeks and months that have backups, the newest one is kept."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6

    def __str__(self) -> str:
        return f"daily={self.daily},weekly={self.weekly},monthly={self.monthly}"


_POLICY = re.compile(r"(daily|weekly|monthly)=([0-9]{1,4})")
#: nothing younger goes, whatever the policy says
_ALWAYS_KEPT = timedelta(days=1)


def parse_policy(text: str) -> Policy:
    """`daily=7,weekly=4,monthly=6`; a part that is not named is 0. Raises Invalid."""
    parts = [_POLICY.fullmatch(part.strip()) for part in text.split(",")]
    numbers = {part[1]: int(part[2]) for part in parts if part}
    if None in parts or len(numbers) != len(parts) or not any(numbers.values()):
        raise Invalid(f"“{text[:80]}” does not say what to keep.", "Write daily=7,weekly=4,monthly=6.")
    return Policy(numbers.get("daily", 0), numbers.get("weekly", 0), numbers.get("monthly", 0))


def expired(backups: Iterable[Backup], policy: Policy, now: datetime) -> tuple[Backup, ...]:
    """Those that may go: stored, in no slot of the policy, not the newest good one, older than a day."""
    stored = sorted((b for b in backups if b.stored), key=lambda b: b.created_at, reverse=True)
    kept = {b.id for b in stored if now - b.created_at < _ALWAYS_KEPT}
    kept |= {b.id for b in islice((b for b in stored if b.status is BackupStatus.VERIFIED), 1)}
    kept |= _newest(stored, policy.daily, lambda b: b.created_at.date().isoformat())
    kept |= _newest(stored, policy.weekly, lambda b: "{}-{}".format(*b.created_at.isocalendar()[:2]))
    kept |= _newest(stored, policy.monthly, lambda b: b.created_at.strftime("%Y-%m"))
    return tuple(b for b in stored if b.id not in kept)


def _newest(newest_first: Iterable[Backup], slots: int, slot: Callable[[Backup], str]) -> set[int]:
    """The newest good one of each of the last slots that have any; of those without a good one, the newest at all."""
    chosen: dict[str, Backup] = {}
    for backup in newest_first:
        key = slot(backup)
        if key not in chosen and len(chosen) == slots:
            break
        present = chosen.get(key)
        better = present and present.status is not BackupStatus.VERIFIED and backup.status is BackupStatus.VERIFIED
        if present is None or better:
            chosen[key] = backup
    return {backup.id for backup in chosen.values()}
