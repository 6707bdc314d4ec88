"""Following a job's container: its output into the log, its end into a verdict."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from cabestan.adapters.container_logs import Engine as LogSource
from cabestan.adapters.container_logs import copy_log
from cabestan.adapters.job_containers import LOST, JobRun
from cabestan.domain.pipeline import Exit, Job, Verdict, judge_exit
from cabestan.domain.status import RunStatus
from cabestan.engine.runs import log_id, redactor_of, run_of
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, NotFound
from cabestan.store import pipelines as store
from cabestan.store.logs import LogWriter

#: lines looked at for the last one that says something
_LAST_LINES = 20
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def follow(services: Services, job_id: int, attempt: int, failure: str) -> dict[str, Any]:
    """Copies the container's output until it ends, and gives the verdict as plain data.

    `failure` says why there is no container. May be done again after a crash: the log goes on where it was.
    """
    with services.database.reading() as tx:
        job = store.get_job(tx, job_id)
    services.logs.unpack(log_id(job_id))
    with services.logs.writer(log_id(job_id), redactor_of(services, job, attempt)) as writer:
        verdict = Verdict(RunStatus.FAILED, failure) if failure else _verdict(services, job, attempt, writer)
        verdict = _with_last_line(services, job_id, verdict)
        _close_log(writer, verdict, attempt)
    services.hub.advanced(log_id(job_id))
    return asdict(verdict)


def _with_last_line(services: Services, job_id: int, verdict: Verdict) -> Verdict:
    """A bare exit code tells little: the last line of the output is put beside it."""
    if not verdict.reason.startswith("Exit code"):
        return verdict
    reader = services.logs.reader(log_id(job_id))
    lines = reader.lines_from(max(1, reader.lines() - _LAST_LINES), _LAST_LINES + 1)
    texts = [text for line in lines if (text := _ESCAPES.sub("", line.text).strip())]
    return replace(verdict, reason=f"{verdict.reason} Its last line: {texts[-1][:300]}") if texts else verdict


def _close_log(writer: LogWriter, verdict: Verdict, attempt: int) -> None:
    if verdict.again:
        writer.note(f"\x1b[1;33m{verdict.reason} The job is run again.\x1b[0m", key=f"again-{attempt}")
        return
    if verdict.reason:
        writer.note(f"\x1b[1;31m{verdict.reason}\x1b[0m", key=f"end-{attempt}")
    writer.end()


def _verdict(services: Services, job: Job, attempt: int, writer: LogWriter) -> Verdict:
    run = run_of(services, job, attempt)
    try:
        return judge_exit(_watch(services, job, run, writer), attempt)
    except CabestanError as error:
        return Verdict(RunStatus.FAILED, str(error))


def _watch(services: Services, job: Job, run: JobRun, writer: LogWriter) -> Exit:
    """From the start of its container to its end, across restarts of the engine."""
    patience = services.settings.engine_seconds
    if _cancel_asked(services, job.id):
        services.engine.patiently(patience, lambda: services.jobs.stop(run))
        return Exit(None, ended_by_us="canceled")
    with _deadline(services, job, run) as late:
        ended = services.engine.patiently(patience, lambda: _copy_to_the_end(services, job, run, writer))
    if _cancel_asked(services, job.id):
        return replace(ended, ended_by_us="canceled")
    return replace(ended, ended_by_us=_too_late(services)) if late.is_set() else ended


def _copy_to_the_end(services: Services, job: Job, run: JobRun, writer: LogWriter) -> Exit:
    found = services.jobs.container(run, given_up=lambda: _cancel_asked(services, job.id))
    if isinstance(found, Exit):
        return found
    client = services.engine.client
    source = LogSource(services.settings.engine, client.api.api_version)
    try:
        copy_log(source, found, writer, lambda: services.hub.advanced(log_id(job.id)))
    except NotFound as error:
        return Exit(LOST, error=str(error))
    return services.jobs.exit_of(found) or Exit(None, error="its log ended before it did")


def _cancel_asked(services: Services, job_id: int) -> bool:
    with services.database.reading() as tx:
        return store.job_cancel_asked(tx, job_id)


def _too_late(services: Services) -> str:
    return f"Not done after {services.settings.job_seconds} s, so it was stopped. Raise job_seconds, or let it do less."


@contextmanager
def _deadline(services: Services, job: Job, run: JobRun) -> Iterator[threading.Event]:
    """Stops the container when the job's time is over; the event tells that it was."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        services.engine.patiently(services.settings.engine_seconds, lambda: services.jobs.stop(run))

    timer = threading.Timer(_seconds_left(services, job), stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _seconds_left(services: Services, job: Job) -> float:
    passed = (services.now() - job.started_at).total_seconds() if job.started_at else 0
    return max(0.0, services.settings.job_seconds - passed)
