"""Starts the backups that are due, and raises an alert where a good one is overdue."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim, CronSimError

from cabestan.domain.backup import BackupStatus
from cabestan.domain.managed import Instance
from cabestan.engine.alerts import clear_alert, clear_all, raise_alert
from cabestan.engine.managed import wishes
from cabestan.engine.managed.backups import KIND, MISSED
from cabestan.engine.repeating import Repeating, every
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, Conflict, Invalid
from cabestan.store import alerts as alert_store
from cabestan.store import backups as store
from cabestan.store import managed as managed_store
from cabestan.store import projects as project_store

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 15
#: a backup that is due may take so long until it counts as missed
_GRACE = timedelta(hours=2)
#: instead of a schedule
OFF = "off"


def backup_clock(services: Services) -> Repeating:
    return every("backups", partial(tick, services), _EVERY_SECONDS)


def tick(services: Services) -> None:
    """May be called at any time, any number of times: what was started is not due any more."""
    with services.database.reading() as tx:
        present = managed_store.present(tx)
    there = {_subject(instance) for instance in present}
    for kind in (KIND, MISSED):  # nothing is owed to a database that is gone
        clear_all(services, kind, lambda subject: subject not in there)
    for instance in present:
        try:
            _look(services, instance)
        except CabestanError as error:  # of one; the others are looked at all the same
            _log.warning("a backup has to wait", database=instance.name, project=instance.project, error=str(error))


def _look(services: Services, instance: Instance) -> None:
    if is_due(services, instance):
        with suppress(Conflict):  # something else is being done to it: the next tick comes soon
            wishes.back_up(services, instance, wishes.CLOCK)
    _alert_when_missed(services, instance)


def is_due(services: Services, instance: Instance) -> bool:
    with services.database.reading() as tx:
        latest = store.newest_scheduled(tx, instance.id)
    due = next_due(schedule_of(services, instance), latest.created_at if latest else instance.created_at)
    return due is not None and due <= services.now()


def schedule_of(services: Services, instance: Instance) -> str:
    """Of its environment, or of the installation."""
    with services.database.reading() as tx:
        said = managed_store.settings_of(tx, instance.environment_id)
    return said.schedule or services.settings.backup_schedule


def next_due(schedule: str, after: datetime) -> datetime | None:
    """The first moment of the schedule after a time; None for `off`, or where it never comes. Raises Invalid."""
    if schedule == OFF:
        return None
    try:
        return next(CronSim(schedule, after.astimezone(ZoneInfo("UTC")))).astimezone(UTC)
    except StopIteration:
        return None
    except CronSimError as error:
        raise Invalid(
            f"“{schedule[:80]}” is not a schedule: {error}.", "Write it as cron does: 30 2 * * *, or off."
        ) from error


def _alert_when_missed(services: Services, instance: Instance) -> None:
    """The newest good backup is older than the schedule allows; not where an alert tells already that it failed."""
    with services.database.reading() as tx:
        failed = alert_store.find_open(tx, KIND, _subject(instance))
        good = store.newest(tx, instance.id, BackupStatus.VERIFIED)
        project = project_store.by_id(tx, instance.project_id)
    since = good.created_at if good else instance.created_at
    due = next_due(schedule_of(services, instance), since)
    if due is None or services.now() - due <= _GRACE or failed:
        clear_alert(services, MISSED, _subject(instance))
    else:
        last = f"the last good one is of {since:%Y-%m-%d %H:%M} UTC" if good else "there is no good one"
        message = f"A backup of {instance.name} in {instance.project} was missed: {last}."
        remedy = "`cabestan database backups` shows what became of them; then `cabestan database backup`."
        raise_alert(services, MISSED, _subject(instance), message, remedy, project=project)


def _subject(instance: Instance) -> str:
    return f"{instance.project} {instance.name}"
