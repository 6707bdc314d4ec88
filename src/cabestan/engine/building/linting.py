"""The first job of a pipeline: checks the commit for each environment, in this process, with a log like any job."""

from dataclasses import asdict, replace
from typing import Any

from cabestan.checks.check import check
from cabestan.checks.report import COLOURED, Texts, excerpt, report
from cabestan.checks.subject import Place, Subject
from cabestan.compose.findings import Waivers
from cabestan.domain.finding import Finding
from cabestan.domain.outcome import Verdict
from cabestan.domain.pipeline import Pipeline
from cabestan.domain.status import RunStatus
from cabestan.domain.why import Why, headline
from cabestan.engine.building.job_runs import log_id, redactor_of
from cabestan.engine.building.releases import draft
from cabestan.engine.building.subjects import subject_of
from cabestan.engine.deploying.composing import Wanted, gather, waivers_of
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store


def lint(services: Services, job_id: int) -> dict[str, Any]:
    """The verdict with the text of the log, as plain data."""
    with services.database.reading() as tx:
        pipeline = store.get(tx, store.get_job(tx, job_id).pipeline_id)
    try:
        subject = subject_of(services, pipeline)
        places, waivers = _places(services, pipeline, subject)
        findings = check(subject, places, waivers)
    except CabestanError as error:
        return asdict(Verdict(RunStatus.FAILED, str(error))) | {"log": ""}
    words = f"\x1b[1;36m{_title(subject, places)}\x1b[0m\n\n"
    log = words + report(findings, lambda file: _text(subject, file), COLOURED)
    return asdict(judge(findings, lambda file: _text(subject, file))) | {"log": log, "line": _first_error(log)}


def write_log(services: Services, job_id: int, attempt: int, outcome: dict[str, Any]) -> dict[str, Any]:
    """Puts the text into the job's log, once, and gives the verdict; a job that was canceled meanwhile is canceled."""
    with services.database.reading() as tx:
        job = store.get_job(tx, job_id)
        canceled = store.job_cancel_asked(tx, job_id)
    verdict = asdict(Verdict(RunStatus.CANCELED, "Canceled.")) if canceled else outcome
    services.logs.unpack(log_id(job_id))
    with services.logs.writer(log_id(job_id), redactor_of(services, job, attempt)) as writer:
        text = outcome["log"].encode("utf-8", "replace")
        writer.feed(text[writer.attach(f"lint {attempt}") :])
        writer.finish()
        if verdict["reason"]:
            writer.note(f"\x1b[1;31m{headline(verdict['reason'])}\x1b[0m", key=f"end-{attempt}")
        writer.end()
    services.hub.advanced(log_id(job_id))
    return {key: verdict[key] for key in ("status", "reason", "again", "line") if key in verdict}


def judge(findings: tuple[Finding, ...], texts: Texts = lambda _file: None) -> Verdict:
    """An error fails the job; warnings do not. The first error is told with its place in the file."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return Verdict(RunStatus.SUCCEEDED)
    # what is wrong within a part may be all that is wrong with it: a service without an image has an `imag`
    first = next((one for one in errors if not any(_is_within(other, one) for other in errors)), errors[0])
    more = f"{len(errors) - 1} more: see the log." if len(errors) > 1 else ""
    lines = excerpt(first, (texts(first.file) or "").splitlines())
    why = Why(str(replace(first, remedy="")), tuple(lines.splitlines()), f"{first.remedy} {more}".strip())
    return Verdict(RunStatus.FAILED, why.text)


def _is_within(one: Finding, other: Finding) -> bool:
    return bool(other.path) and one.file == other.file and one.path.startswith(f"{other.path}.")


def _first_error(log: str) -> int:
    """Its line."""
    mark = f"{COLOURED.error}error:"
    return next((number for number, line in enumerate(log.split("\n"), 1) if mark in line), 0)


def _places(services: Services, pipeline: Pipeline, subject: Subject) -> tuple[tuple[Place, ...], Waivers]:
    """Each environment of the project; those that take the branch decide, or all where none does."""
    with services.database.reading() as tx:
        project = project_store.by_id(tx, pipeline.project_id)
        release = draft(services, pipeline, {}, next(iter(subject.compose), ""), {}, project.default_branch)
        environments = environment_store.of_project(tx, project.id)
        waivers = waivers_of(services, tx, project.id)
        takers = {e.id for e in environments if e.takes(pipeline.branch, project.default_branch)}
        known = [(e, gather(services, tx, Wanted(release, e)).place) for e in environments]
    return tuple(replace(place, decides=e.id in takers or not takers) for e, place in known), waivers


def _title(subject: Subject, places: tuple[Place, ...]) -> str:
    what = ", ".join(subject.compose) or "the Dockerfiles"
    where = ", ".join(place.name for place in places)
    return f"Checking {what} of commit {subject.commit[:10]}" + (f" for {where}" if where else "")


def _text(subject: Subject, file: str) -> str | None:
    try:
        return subject.read(file)
    except CabestanError:
        return None
