from datetime import timedelta

import pytest
from tests.samples import NOW

from cabestan.domain.backup import (
    Backup,
    BackupStatus,
    Policy,
    Reason,
    differences,
    expired,
    parse_manifest,
    parse_policy,
)
from cabestan.errors import Invalid


def backup(key: int, days: float, status: BackupStatus = BackupStatus.VERIFIED) -> Backup:
    """Taken so many days ago."""
    taken = NOW - timedelta(days=days)
    return Backup(
        id=key,
        instance_id=1,
        reason=Reason.SCHEDULED,
        status=status,
        detail="",
        file=f"{key}",
        bytes=1,
        plain_bytes=1,
        sha256="",
        version="15",
        manifest={"a": (2, "x"), "b": (3, "y"), "(views)": (1, "0")},
        here=True,
        remote=False,
        created_at=taken,
        taken_at=taken,
        verified_at=None,
    )


def ids(backups: tuple[Backup, ...]) -> set[int]:
    return {found.id for found in backups}


def test_what_a_restore_lost_changed_or_added_is_told_by_table() -> None:
    expected = {"a": (2, "x"), "b": (3, "y"), "c": (4, "z"), "(all values)": (9, "q")}
    found = {"a": (2, "x"), "b": (2, "y"), "c": (4, "w"), "d": (1, "v"), "(all values)": (9, "q")}
    assert differences(expected, found) == (
        "b has 2 rows, not 3",
        "c has other contents in its 4 rows",
        "d was not there",
    )
    assert differences(expected, {k: v for k, v in expected.items() if k != "a"}) == ("a is missing",)
    assert differences({"a": (1, "x")}, {"a": (1, "x"), "(all values)": (1, "p")}) == ()
    assert differences({"a": (1, "x")}, {"a": (1, "x"), "(owners)": (1, "p")}) == ()
    assert differences({"(owners)": (1, "x")}, {"(owners)": (1, "p")}) == ("(owners) has other contents in its 1 rows",)


def test_a_manifest_is_read_from_lines() -> None:
    assert parse_manifest(["public.a b\t2\t-17", "(views)\t0\t0"]) == {"public.a b": (2, "-17"), "(views)": (0, "0")}


def test_tables_and_rows_are_those_of_tables_alone() -> None:
    assert (backup(1, 0).tables, backup(1, 0).rows) == (2, 5)


def test_a_policy_is_read_and_written() -> None:
    assert parse_policy("daily=7,weekly=4,monthly=6") == Policy(7, 4, 6)
    assert parse_policy(" daily=1 ") == Policy(1, 0, 0)
    assert str(Policy(1, 0, 3)) == "daily=1,weekly=0,monthly=3"


@pytest.mark.parametrize("text", ["", "daily", "daily=0", "daily=x", "yearly=1", "daily=1,daily=2", "daily=1;weekly=1"])
def test_another_policy_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_policy(text)
    assert str(refused.value) == f"“{text}” does not say what to keep. Write daily=7,weekly=4,monthly=6."


def test_of_each_day_week_and_month_the_newest_is_kept() -> None:
    nightly = [backup(day, day) for day in range(100)]
    kept = {b.id for b in nightly} - ids(expired(nightly, Policy(daily=3, weekly=2, monthly=2), NOW))
    dates = {b.id: b.created_at.date() for b in nightly}
    assert {0, 1, 2} <= kept
    assert len({dates[key].isocalendar()[:2] for key in kept}) >= 2
    assert len({(dates[key].year, dates[key].month) for key in kept}) == 2
    assert len(kept) <= 3 + 1 + 1


def test_what_is_younger_than_a_day_is_kept() -> None:
    several = [backup(key, key / 10) for key in range(9)]
    assert ids(expired(several, Policy(1, 0, 0), NOW)) == set()


def test_the_newest_good_one_is_kept_whatever_its_age() -> None:
    good = backup(1, 400)
    later = [backup(key, 10 - key, BackupStatus.UNVERIFIED) for key in range(2, 9)]
    assert 1 not in ids(expired([good, *later], Policy(1, 0, 0), NOW))


def test_in_a_slot_a_good_one_is_kept_rather_than_a_newer_one_that_is_not() -> None:
    good, doubtful = backup(1, 2.2), backup(2, 2.1, BackupStatus.UNVERIFIED)
    newest = backup(3, 0)
    assert good.created_at.date() == doubtful.created_at.date()
    assert ids(expired([good, doubtful, newest], Policy(2, 0, 0), NOW)) == {2}


def test_what_has_no_files_is_left_alone() -> None:
    failed = backup(1, 400, BackupStatus.FAILED)
    assert ids(expired([failed, backup(2, 0)], Policy(1, 0, 0), NOW)) == set()
