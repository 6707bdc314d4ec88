"""What is kept of a deployment while it goes on: each step as it is done, and what it works on."""

from collections.abc import Callable

import sqlalchemy as sa
import structlog

from cabestan.domain.deployment import Deployment, Plan, StepKind
from cabestan.domain.environment import Environment
from cabestan.domain.outbox import Subject
from cabestan.domain.why import of_error, shortened
from cabestan.engine.services import Services
from cabestan.engine.variables import secrets
from cabestan.errors import CabestanError, StepFailed, StorageFull
from cabestan.store import deployments as store
from cabestan.store import environments as environment_store
from cabestan.store import projects as project_store
from cabestan.store.fullness import is_full
from cabestan.store.transitions import touched

_log = structlog.get_logger(__name__)
#: why a deployment ended that somebody stopped
CANCELED = "Canceled."


def on_record(
    services: Services, deployment: Deployment, kind: StepKind, position: int, text: str, work: Callable[[], str]
) -> str:
    """Empty, or why it failed, without any secret. What meets a full disk is no failure: it goes on later."""
    with services.database.writing() as tx:
        store.set_step(tx, deployment.id, kind, position, text, "running", services.now())
        touched(tx, Subject.DEPLOYMENT, deployment.id, services.now())
    failure = detail = ""
    try:
        detail = work()
    except StorageFull:
        raise
    except CabestanError as error:
        failure = of_error(error).text
    except Exception as error:  # whatever it is, the deployment has to end, and the previous release to serve
        if services.durable.closing or is_full(error):
            raise
        _log.exception("a step of a deployment failed unexpectedly", deployment=deployment.id, step=kind)
        failure = f"Something unexpected went wrong: {type(error).__name__}: {error}. The server's log tells more."
    with services.database.writing() as tx:
        redactor = secrets.redactor(tx, services.vault, project_store.by_id(tx, deployment.project_id))
        failure, detail = shortened(redactor.text(failure)), redactor.text(detail)
        status = "failed" if failure else "succeeded"
        store.end_step(tx, deployment.id, position, status, failure or detail, services.now())
        touched(tx, Subject.DEPLOYMENT, deployment.id, services.now())
    return failure


def load(services: Services, deployment_id: int) -> tuple[Deployment, Environment, Plan]:
    with services.database.reading() as tx:
        deployment = store.get(tx, deployment_id)
        environment = environment_store.by_id(tx, deployment.environment_id)
    return deployment, environment, plan_of(services, deployment_id)


def plan_of(services: Services, deployment_id: int) -> Plan:
    with services.database.reading() as tx:
        return plan_in(tx, deployment_id)


def plan_in(tx: sa.Connection, deployment_id: int) -> Plan:
    plan = store.plan_of(tx, deployment_id)
    if not plan:
        raise StepFailed(f"Deployment {deployment_id} has no plan.", "Deploy the release again.")
    return plan


def cancel_asked(services: Services, deployment_id: int) -> bool:
    with services.database.reading() as tx:
        return store.cancel_asked(tx, deployment_id)
