"""What a container said before it ended, asked of its engine once, and kept without secrets."""

from dataclasses import replace

from cabestan.adapters.tasks import StackState
from cabestan.domain.environment import Environment
from cabestan.domain.observed import LastExit, SeenService
from cabestan.domain.why import shortened
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import EngineUnavailable
from cabestan.store import projects as project_store


def with_last_words(
    services: Services, environment: Environment, state: StackState, service: SeenService, before: SeenService | None
) -> SeenService:
    """`before` is the service as it was seen last."""
    last, known = service.last_exit, before.last_exit if before else None
    if not last:
        return service
    if known and known.task == last.task:
        return replace(service, last_exit=known)
    return replace(service, last_exit=_told(services, environment, state, last))


def _told(services: Services, environment: Environment, state: StackState, last: LastExit) -> LastExit:
    task = next(task for one in state.services for task in one.tasks if task.id == last.task)
    try:
        why, words = services.cluster_of(environment).stacks.end_of(task)
    except EngineUnavailable:  # of its node: the next look asks again
        return replace(last, task="")
    with services.database.reading() as tx:
        project = project_store.by_id(tx, environment.project_id)
        hidden = secrets.redactor(tx, services.vault, project)
    return replace(last, why=hidden.text(why), words=shortened(hidden.text(words)))
