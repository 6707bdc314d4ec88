"""What goes with a deletion, in counts and names: for those who are asked."""

from cabestan.domain.deletion import Going
from cabestan.domain.environment import Environment
from cabestan.domain.project import Project
from cabestan.engine.names import hosts
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import environments as environment_store
from cabestan.store import hosts as host_store
from cabestan.store import managed as managed_store
from cabestan.store import schedules as schedule_store
from cabestan.store import taking_away


def of_environment(services: Services, environment: Environment) -> tuple[Going, ...]:
    """Without what there is none of."""
    with services.database.reading() as tx:
        databases = managed_store.in_environment(tx, environment.id)
        claimed = [claim.pattern for claim in host_store.claims(tx) if claim.environment_id == environment.id]
        schedules = schedule_store.of_project(tx, environment.project_id, environment.id)
        history = taking_away.history_of(tx, environment.project_id, environment.id)
        settings = taking_away.settings_of(tx, environment.project_id, environment.name)
    lines = [
        *_running(services, environment),
        Going(len(databases), "database", tuple(d.kind for d in databases), kept=_kept(services)),
        Going(len(claimed), "host name", tuple(sorted(claimed))),
        Going(settings, "variable and secret"),
        Going(len(schedules), "schedule", tuple(schedule.service for schedule in schedules)),
        *(Going(count, noun) for noun, count in history.items()),
    ]
    return tuple(line for line in lines if line.count)


def of_project(services: Services, project: Project) -> tuple[Going, ...]:
    with services.database.reading() as tx:
        environments = environment_store.of_project(tx, project.id)
        databases = managed_store.of_project(tx, project.id)
        names = hosts.names_of(services, tx, project)
        history = taking_away.history_of(tx, project.id)
        settings = taking_away.settings_of(tx, project.id)
    running = [line for environment in environments for line in _running(services, environment)]
    branches = services.repositories.refs(project.id)
    lines = [
        Going(len(environments), "environment", tuple(environment.name for environment in environments)),
        *(_sum(running, noun) for noun in ("service", "volume")),
        Going(len(databases), "database", tuple(database.name for database in databases), kept=_kept(services)),
        Going(len(names), "host name", names),
        Going(settings, "variable and secret"),
        Going(len(branches), "branch or tag", tuple(ref.split("/", 2)[2] for ref in branches)),
        *(Going(count, noun) for noun, count in history.items()),
    ]
    return tuple(line for line in lines if line.count)


def _running(services: Services, environment: Environment) -> tuple[Going, ...]:
    """What its engine has; nothing where that does not answer, for the rest can be shown."""
    cluster, stack = services.cluster_of(environment), environment.stack_name(services.settings.instance)
    try:
        there = cluster.stacks.state(stack).services
        volumes = cluster.volumes.of_stack(stack)
    except CabestanError:
        return ()
    named = tuple(sorted(volumes.values()))
    return (
        Going(len(there), "service", tuple(service.name for service in there)),
        Going(len(named), "volume", named, kept=_kept(services)),
    )


def _sum(lines: list[Going], noun: str) -> Going:
    of_kind = [line for line in lines if line.noun == noun]
    names = tuple(name for line in of_kind for name in line.names)
    return Going(sum(line.count for line in of_kind), noun, names, kept=next((line.kept for line in of_kind), ""))


def _kept(services: Services) -> str:
    return f"a last backup is kept for {services.settings.last_backup_days} days"
