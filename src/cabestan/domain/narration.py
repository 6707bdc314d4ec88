"""What is said of a push as it comes along: the lines that a terminal shows, of this server's words and of others'."""

from collections.abc import Iterable, Iterator

from cabestan.domain.plain_text import plain_line
from cabestan.domain.progress import DeploymentProgress, JobProgress, Progress, StepProgress, outcome
from cabestan.domain.status import DeploymentStatus, RunStatus

#: characters of a line that others wrote, and lines of what they have to say at once
_WIDTH, _LINES = 300, 12
_SHAPES = {"running": "◐", "succeeded": "✓", "failed": "✗", "canceled": "⊘", "skipped": "-"}
_WIDEST = len("succeeded")
_WAITING = DeploymentStatus.WAITING


def told(former: Progress | None, now: Progress) -> tuple[str, ...]:
    """What has changed since, in lines; all so far where nothing was told."""
    return (
        *_jobs(former.jobs if former else (), now.jobs),
        *_end_of_pipeline(former, now),
        *_notes(former, now),
        *_release(former, now),
        *_deployments(former, now),
        *_waiting(former, now),
    )


def _jobs(former: Iterable[JobProgress], now: Iterable[JobProgress]) -> Iterator[str]:
    before = {job.id: (job.status, job.attempt) for job in former}
    for job in now:
        if before.get(job.id) != (job.status, job.attempt) and job.status is not RunStatus.CREATED:
            yield from _job(job)


def _job(job: JobProgress) -> Iterator[str]:
    first, *more = _parts(job.reason if job.status is not RunStatus.SUCCEEDED else "") or [""]
    pushed = f"image {plain_line(job.image, _WIDTH)}" if job.image and job.status is RunStatus.SUCCEEDED else ""
    yield _row(job.status, job.name, job.seconds, pushed or first)
    yield from (f"    {line}" for line in more)
    yield from (f"    | {plain_line(line, _WIDTH)}" for line in job.last_lines[-_LINES:])


def _end_of_pipeline(former: Progress | None, now: Progress) -> Iterator[str]:
    if not now.status.ended or (former and former.status is now.status) or now.status is RunStatus.SUCCEEDED:
        return
    if now.status is RunStatus.SKIPPED:
        yield f"Pipeline {now.id} has nothing to build."
        return
    by_jobs = any(job.status is now.status and job.reason for job in now.jobs)  # whose words stand above
    first, *more = _parts("" if by_jobs else now.reason) or [""]
    yield f"Pipeline {now.id} {now.status}{f': {first}' if first else '.'}"
    yield from (f"  {line}" for line in more)
    yield f"  See {now.url}"


def _notes(former: Progress | None, now: Progress) -> Iterator[str]:
    """At the end, when all have been made."""
    if now.status.ended and not (former and former.status.ended):
        yield from (f"  Note: {line}" for note in now.notes[:_LINES] for line in _parts(note)[:1])


def _release(former: Progress | None, now: Progress) -> Iterator[str]:
    if now.release and not (former and former.release):
        yield f"Release {now.release} is made."
    done = now.status is RunStatus.SUCCEEDED and not (former and former.status is RunStatus.SUCCEEDED)
    if done and now.release and not now.deployments and not now.newer_release:
        yield f"  No environment takes {plain_line(now.branch, _WIDTH)} by itself: cabestan deploy {now.release} -e ENV"


def _deployments(former: Progress | None, now: Progress) -> Iterator[str]:
    before = {deployment.id: deployment for deployment in former.deployments} if former else {}
    for deployment in now.deployments:
        yield from _deployment(before.get(deployment.id), deployment)


def _waiting(former: Progress | None, now: Progress) -> Iterator[str]:
    """Those that a person has to decide on, when nothing else goes on: that is what comes next."""
    if not outcome(now):
        return
    told_before = {d.id for d in former.deployments if d.status is _WAITING} if former and outcome(former) else set()
    for deployment in now.deployments:
        if deployment.status is _WAITING and deployment.id not in told_before:
            where = plain_line(deployment.environment, _WIDTH)
            yield f"{where}: deployment {deployment.id} waits for an approval: cabestan approve {deployment.id}"


def _deployment(former: DeploymentProgress | None, now: DeploymentProgress) -> Iterator[str]:
    where = plain_line(now.environment, _WIDTH)
    if not former and now.status is DeploymentStatus.QUEUED:
        yield f"{where}: deployment {now.id} waits for its turn"
    if _begun(now) and not _begun(former):
        yield f"{where}: deployment {now.id}"
    yield from (f"  {line}" for line in _steps(former.steps if former else (), now.steps))
    if not former or former.status is not now.status:
        yield from _end(now, where)


def _begun(deployment: DeploymentProgress | None) -> bool:
    return deployment is not None and (bool(deployment.steps) or deployment.status is DeploymentStatus.RUNNING)


def _steps(former: tuple[StepProgress, ...], now: tuple[StepProgress, ...]) -> Iterator[str]:
    for position, step in enumerate(now):
        if position >= len(former) or former[position].status != step.status:
            yield _row(step.status, step.text, step.seconds)


def _end(now: DeploymentProgress, where: str) -> Iterator[str]:
    first, *more = _parts(now.reason) or [""]
    because = f": {first}" if first else ""
    match now.status:
        case DeploymentStatus.SUCCEEDED:
            yield f"{where}: serving at {plain_line(now.url, _WIDTH)}"
        case DeploymentStatus.FAILED | DeploymentStatus.CANCELED | DeploymentStatus.SUPERSEDED:
            yield f"{where}: deployment {now.id} {_ENDS[now.status]}{because}"
            yield from (f"  {line}" for line in more)
        case DeploymentStatus.ROLLED_BACK:
            yield f"{where}: deployment {now.id} failed, and the former release serves again{because}"
            yield from (f"  {line}" for line in more)


_ENDS = {
    DeploymentStatus.FAILED: "failed",
    DeploymentStatus.CANCELED: "was canceled",
    DeploymentStatus.SUPERSEDED: "gave way to a newer one",
}


def _row(status: str, name: str, seconds: float | None, more: str = "") -> str:
    shape, word = _SHAPES.get(status, "?"), plain_line(status, _WIDTH).ljust(_WIDEST)
    took = f"  ({_length(seconds)})" if seconds is not None and status != "running" else ""
    return f"{shape} {word}  {plain_line(name, _WIDTH)}{took}{f': {more}' if more else ''}"


def _parts(text: str) -> list[str]:
    """Lines of others, each as it is read."""
    shown = [line for each in text.splitlines() if (line := plain_line(each, _WIDTH))]
    return [*shown[: _LINES - 1], "…"] if len(shown) > _LINES else shown


def _length(seconds: float) -> str:
    """`3 s`, `2 min 05 s`."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"
