"""What comes from outside: saved as an event together with the pipeline that it sets off, in one transaction."""

from collections.abc import Mapping

import sqlalchemy as sa

from cabestan.adapters.git_commits import CommitInfo
from cabestan.domain.environment import FIRST_ENVIRONMENTS
from cabestan.domain.pipeline import Pipeline, Source
from cabestan.domain.project import Project, RefChange, ref_changes
from cabestan.domain.status import RunStatus
from cabestan.engine.building import crowding, pipelines
from cabestan.engine.deploying import environments, settings
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import deletions as deletion_store
from cabestan.store import outbox
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store


def create_project(services: Services, name: str, default_branch: str) -> Project:
    """With its repository and its first environments."""
    with services.database.writing() as tx:
        project = project_store.create(tx, name, default_branch, services.now())
        for draft in FIRST_ENVIRONMENTS:
            environments.create(services, tx, project, draft)
        services.repositories.create(project.id, default_branch)
        outbox.tell(tx, project.id, services.now())
    return project


def take_pushes(services: Services, project: Project, by: str) -> tuple[Pipeline, ...]:
    """Looks where the repository's refs stand, and starts a pipeline for each branch that moved.

    Called after each push and at every start; what was seen before is not seen again.
    """
    while (started := _take_moved(services, project, by)) is None:
        pass  # somebody else took pushes meanwhile
    _begin(services, started)
    return tuple(started)


def start_pipeline(
    services: Services,
    project: Project,
    branch: str,
    by: str,
    variables: Mapping[str, str] | None = None,
    source: Source = Source.API,
) -> Pipeline:
    """For the newest commit of a branch, at a person's wish, with variables for this run."""
    given = settings.pipeline_variables(variables or {})
    commit = services.repositories.refs(project.id).get(f"refs/heads/{branch}")
    if not commit:
        raise Conflict(f"The branch {branch} of {project.name} has no commit.", "Push to it first, or name another.")
    info = services.repositories.commit(project.id, commit)
    fresh = _new_pipeline(services, project, branch, info, by).evolve(variables=given, source=source)
    with services.database.writing() as tx:
        crowding.refuse_one_more(services, tx, project.id, project.name)
        change = RefChange(f"refs/heads/{branch}", commit, commit)
        event = project_store.add_event(tx, project.id, "request", change, by, services.now())
        pipeline = pipeline_store.create(tx, fresh, event)
    _begin(services, [pipeline])
    return pipeline


def _take_moved(services: Services, project: Project, by: str) -> list[Pipeline] | None:
    """Reads Git before the transaction, for nobody else writes during one.

    None where another look was noted by then: this one may be the older of the two, and would undo it.
    """
    with services.database.reading() as tx:
        if deletion_store.open_of_project(tx, project.id):
            return []
        last = project_store.last_event(tx, project.id)
        seen = project_store.seen_refs(tx, project.id)
    moved = ref_changes(seen, services.repositories.refs(project.id))
    pushed = [change.after for change in moved if change.branch and change.after]
    commits = services.repositories.commits(project.id, pushed) if pushed else {}
    fresh = [(change, _pipeline_for(services, project, change, commits, by)) for change in moved]
    if not fresh:
        return []
    with services.database.writing() as tx:
        if project_store.last_event(tx, project.id) != last:
            return None
        made = [_take_push(services, tx, project, change, wanted, by) for change, wanted in fresh]
        return list(crowding.admit(services, tx, [pipeline for pipeline in made if pipeline]))


def _pipeline_for(
    services: Services, project: Project, change: RefChange, commits: Mapping[str, CommitInfo], by: str
) -> Pipeline | None:
    """A commit that cannot be read must not stop the others: its pipeline tells why."""
    if not change.branch or not change.after:
        return None
    info = commits.get(change.after) or CommitInfo(change.after, "", "")
    return _new_pipeline(services, project, change.branch, info, by).evolve(before=change.before or "")


def _take_push(
    services: Services, tx: sa.Connection, project: Project, change: RefChange, wanted: Pipeline | None, by: str
) -> Pipeline | None:
    event = project_store.record_push(tx, project.id, change, by, services.now())
    return pipeline_store.create(tx, wanted, event) if wanted else None


def _new_pipeline(services: Services, project: Project, branch: str, info: CommitInfo, by: str) -> Pipeline:
    return Pipeline(
        id=0,
        project_id=project.id,
        project=project.name,
        commit=info.commit,
        branch=branch,
        title=info.title,
        author=info.author,
        status=RunStatus.CREATED,
        reason="",
        by=by,
        created_at=services.now(),
        author_email=info.email,
        committed_at=info.committed_at,
        message=info.message,
    )


def _begin(services: Services, started: list[Pipeline]) -> None:
    for pipeline in started:
        if not pipeline.status.ended:
            pipelines.begin(services, pipeline.id)
