"""The workflows of jobs, by kind: start it, follow it to the end, take everything away, move the pipeline on.

Steps are known by their names and their order, also to a version that takes up what another one began.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from cabestan.domain.outbox import Subject
from cabestan.domain.outcome import Verdict, judge_exit
from cabestan.domain.pipeline import Job, JobKind
from cabestan.domain.status import RunStatus
from cabestan.engine import base_images, disk
from cabestan.engine.building import linting, pipelines
from cabestan.engine.building.job_runs import log_id, redactor_of, run_of, token_of
from cabestan.engine.building.runners import runner_of
from cabestan.engine.guard import guarded
from cabestan.engine.running import finishing
from cabestan.engine.running.following import Explain, Followed, follow_to_the_end
from cabestan.engine.services import Services
from cabestan.engine.turns.line import Turn
from cabestan.engine.turns.places import Kind
from cabestan.errors import CabestanError
from cabestan.pipeline import build_log
from cabestan.store import pipelines as store
from cabestan.store import users as user_store
from cabestan.store.logs import LogWriter
from cabestan.store.transitions import touched, transition


class JobRunner:
    """The workflow of a job; as many run at a time as there are places for its kind."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def register(self) -> None:
        run = guarded(self._services, self.run, partial(fail, self._services))
        self._services.durable.register("job", lambda job_id, attempt: run(job_id, attempt), self._turn)

    def run(self, job_id: int, attempt: int) -> None:
        """What a job is never changes, so it may be asked for again after a kill."""
        with self._services.database.reading() as tx:
            kind = store.get_job(tx, job_id).spec.kind
        _WORKFLOWS[kind](self._services, job_id, attempt)

    def _turn(self, job_id: int, _attempt: int) -> Turn:
        """Within a project those of older pipelines come first, and so does what is retried."""
        with self._services.database.reading() as tx:
            job = store.get_job(tx, job_id)
        return Turn(Kind.CHECK if job.spec.kind.in_process else Kind.JOB, job.project_id, job.pipeline_id)


def _in_process(services: Services, job_id: int, attempt: int) -> None:
    """What the checks found is recorded before it is written, so that a kill in between writes the same."""
    step = services.durable.step
    if step("lint.begin", lambda: _begin(services, job_id, attempt)):
        outcome = step("lint.check", lambda: linting.lint(services, job_id))
        verdict = step("lint.log", lambda: linting.write_log(services, job_id, attempt, outcome))
        step("lint.record", lambda: _record(services, job_id, attempt, verdict))
    step("lint.advance", lambda: _advance(services, job_id))


def _in_container(services: Services, job_id: int, attempt: int) -> None:
    """One that is taken away from outside is started again, a few times."""
    going = services.durable.step("job.begin", lambda: _begin(services, job_id, attempt))
    while going:
        going = _attempt(services, job_id, attempt)
        attempt += 1
    services.durable.step("job.advance", lambda: _advance(services, job_id))


#: by kind
_WORKFLOWS: Mapping[JobKind, Callable[[Services, int, int], None]] = {
    JobKind.BUILD: _in_container,
    JobKind.SCRIPT: _in_container,
    JobKind.LINT: _in_process,
}


def _attempt(services: Services, job_id: int, attempt: int) -> bool:
    """True where another one is called for."""
    step = services.durable.step
    failure = step("job.start", lambda: _start(services, job_id, attempt))
    verdict = step("job.follow", lambda: _follow(services, job_id, attempt, failure))
    step("job.clean", lambda: _clean(services, job_id, attempt))
    step("job.record", lambda: _record(services, job_id, attempt, verdict))
    return bool(verdict["again"])


def fail(services: Services, job_id: int, attempt: int, reason: str) -> None:
    """Ends one whose steps broke in a way that nobody foresaw, and takes away what it left."""
    verdict = {"status": RunStatus.FAILED, "reason": reason, "again": False}
    _record(services, job_id, attempt, verdict)
    _clean(services, job_id, attempt)
    _advance(services, job_id)


def _begin(services: Services, job_id: int, attempt: int) -> bool:
    """Marks it as running; False where there is nothing to run any more."""
    with services.database.writing() as tx:
        job = store.get_job(tx, job_id)
        if job.status.ended or job.attempt > attempt:
            return False
        now = services.now()
        transition(tx, Subject.JOB, job_id, RunStatus.RUNNING, now, started_at=job.started_at or now)
    return True


def _start(services: Services, job_id: int, attempt: int) -> str:
    """Empty, or why it could not be started."""
    with services.database.reading() as tx:
        job = store.get_job(tx, job_id)
        if store.job_cancel_asked(tx, job_id):
            return ""
    try:
        disk.check(services.settings)
        services.home.patiently(lambda: _start_container(services, job, attempt))
    except CabestanError as error:
        return str(error)
    return ""


def _start_container(services: Services, job: Job, attempt: int) -> None:
    """On the base images that it needs; not at all where it is canceled while those are built."""
    runner = runner_of(services, job)
    assert runner, f"the job {job.name} has no container"
    _ensure_base_images(services, job, attempt, runner.base_images)
    if _cancel_asked(services, job.id):
        return
    runner.prepare()
    token = partial(_keep_token, services, job.id, attempt, runner.secret) if runner.secret else None
    services.jobs.start(run_of(services, job, attempt), runner.container(attempt), token)


def _ensure_base_images(services: Services, job: Job, attempt: int, references: Sequence[str]) -> None:
    """Builds what the job begins with and the engine lacks, told in the job's log.

    Comes back early when it is canceled; what is being built is built to its end all the same, for others may wait for
    it. Raises whatever the builder raises.
    """
    lacking = services.images.lacking(references) if references else ()
    if not lacking:
        return
    services.logs.unpack(log_id(job.id))
    with services.logs.writer(log_id(job.id), redactor_of(services, job, attempt)) as writer:
        # a name of its own: begun again after a kill, its lines come again
        writer.attach(f"base images {uuid.uuid4()}")
        tell = _teller(services, job, writer)
        tell(f"\x1b[1;36mBuilding {', '.join(lacking)}: this machine does not have it yet\x1b[0m")
        base_images.Building(services, references).follow(tell, lambda: _cancel_asked(services, job.id))
        writer.finish()


def _teller(services: Services, job: Job, writer: LogWriter) -> Callable[[str], None]:
    def tell(text: str) -> None:
        writer.feed(f"{text}\n".encode())
        services.hub.advanced(log_id(job.id))

    return tell


def _keep_token(services: Services, job_id: int, attempt: int, secret: Callable[[], str]) -> str:
    """What the container gets as its `TOKEN_FILE`."""
    token = token_of(services, job_id, attempt)
    lifetime = timedelta(seconds=services.settings.job_seconds + services.settings.engine_seconds)
    with services.database.writing() as tx:
        user_store.drop_job_tokens(tx, job_id)
        expires_at = services.now() + lifetime
        user_store.add_token(tx, token, kind="job", job_id=job_id, now=services.now(), expires_at=expires_at)
    return f"{token}\n{secret()}\n"


def _follow(services: Services, job_id: int, attempt: int, failure: str) -> dict[str, Any]:
    """Copies the output of a job's container until it ends, and gives the verdict as plain data.

    `failure` says why there is no container. May be done again after a crash: the log goes on where it was.
    """
    with services.database.reading() as tx:
        job = store.get_job(tx, job_id)
    return asdict(follow_to_the_end(services, _followed(services, job, attempt), failure))


def _followed(services: Services, job: Job, attempt: int) -> Followed:
    seconds = services.settings.job_seconds
    builds = job.spec.kind is JobKind.BUILD
    return Followed(
        run=run_of(services, job, attempt),
        cluster=services.home,
        containers=services.jobs,
        log=log_id(job.id),
        key=str(attempt),
        redactor=redactor_of(services, job, attempt),
        judge=lambda ended: judge_exit(ended, attempt),
        cancel_asked=lambda: _cancel_asked(services, job.id),
        seconds_left=finishing.seconds_left(job.started_at, seconds, services.now()),
        explain=Explain(build_log.LOOKED_AT, build_log.why_failed) if builds else None,
        too_late=f"Not done after {seconds} s, so it was stopped. Raise job_seconds, or let it do less.",
    )


def _cancel_asked(services: Services, job_id: int) -> bool:
    with services.database.reading() as tx:
        return store.job_cancel_asked(tx, job_id)


def _clean(services: Services, job_id: int, attempt: int) -> None:
    """Container and token go, whatever happened."""
    with services.database.writing() as tx:
        job = store.get_job(tx, job_id)
        user_store.drop_job_tokens(tx, job_id)
    finishing.take_away(services.home, services.jobs, run_of(services, job, attempt))


def _record(services: Services, job_id: int, attempt: int, verdict: dict[str, Any]) -> None:
    """Ends the job as the verdict has it, or prepares its next attempt."""
    # what a former version has recorded of a step knows no line
    outcome = Verdict(RunStatus(verdict["status"]), verdict["reason"], verdict["again"], verdict.get("line", 0))
    now = services.now()
    with services.database.writing() as tx:
        if outcome.again:
            store.update_job(tx, job_id, attempt=attempt + 1, digest="")
            touched(tx, Subject.JOB, job_id, now)
        else:
            told = {"reason": outcome.reason, "log_line": outcome.line, "finished_at": now}
            transition(tx, Subject.JOB, job_id, outcome.status, now, **told)
    services.hub.advanced(log_id(job_id))


def _advance(services: Services, job_id: int) -> None:
    with services.database.reading() as tx:
        pipeline_id = store.get_job(tx, job_id).pipeline_id
    pipelines.advance(services, pipeline_id)
