"""Alerts on schedules: a run that failed, and due times that passed while nobody could start anything."""

from cabestan.domain.project import Project
from cabestan.domain.run import Cause, Run
from cabestan.domain.schedule import Firing, Schedule
from cabestan.domain.status import RunStatus
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.engine.running.following import last_lines
from cabestan.engine.running.service_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import projects as project_store

FAILED = "cron"
MISSED = "cron-missed"


def judge(services: Services, run: Run) -> None:
    """After a run of a schedule has ended: a failure is told until a later one succeeds."""
    subject = _subject(run)
    if run.status is RunStatus.FAILED:
        raise_alert(
            services,
            FAILED,
            subject,
            f"{run.service} failed on {run.environment}: {run.reason}",
            f"`cabestan cron log {run.id}` shows what it said; `cabestan cron run` tries it again.",
            words="\n".join(last_lines(services, log_id(run.id))),
            project=_project(services, run),
        )
    elif run.status is RunStatus.SUCCEEDED:
        clear_alert(services, FAILED, subject)
        if run.cause is Cause.DUE:
            clear_alert(services, MISSED, subject)


def tell_missed(services: Services, schedule: Schedule, firing: Firing) -> None:
    """Told until a run begins on time again, and succeeds."""
    times = "once" if firing.missed == 1 else f"{firing.missed} times"
    raise_alert(
        services,
        MISSED,
        _subject(schedule),
        f"{schedule.service} on {schedule.environment} was due {times} while nothing could be started, the last time "
        f"at {firing.due:%Y-%m-%d %H:%M} UTC; it is made up for once.",
        "Look why the server was not there: `cabestan status`, and the server's log.",
        project=_project(services, schedule),
    )


def forget(services: Services, schedule: Schedule) -> None:
    """The schedule is paused or gone: nothing of it is owed any more."""
    for kind in (FAILED, MISSED):
        clear_alert(services, kind, _subject(schedule))


def _subject(thing: Run | Schedule) -> str:
    return f"{thing.project} {thing.environment} {thing.service}"


def _project(services: Services, thing: Run | Schedule) -> Project:
    with services.database.reading() as tx:
        return project_store.by_id(tx, thing.project_id)
