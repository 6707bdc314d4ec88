"""A managed service of an environment, as a deployment leaves it."""

from tests.engine.world import World

from cabestan.domain.backup import Backup, Operation, OperationStatus
from cabestan.domain.environment import Environment
from cabestan.domain.managed import Instance, Kind
from cabestan.engine.managed import instances, wishes
from cabestan.engine.variables import secrets
from cabestan.store import backups, managed

CONTENTS = {"public.items": (3, "17"), "(sequences)": (1, "4")}


def instance_of(world: World, environment: Environment, kind: Kind = Kind.POSTGRESQL) -> Instance:
    """Made, running, and with contents."""
    services = world.services
    sealed = services.vault.seal("the-password-canary", secrets.context(environment.project_id))
    stack = environment.stack_name(services.settings.instance)
    with services.database.writing() as tx:
        made = managed.create(
            tx,
            environment,
            kind,
            environment_stack=stack,
            network=f"{stack}-net",
            image="registry/postgresql@sha256:" + "1" * 64,
            version="15",
            password=sealed,
            node="here",
            now=world.clock(),
        )
    instances.apply(services, made)
    world.databases.contents[made.name] = dict(CONTENTS)
    return made


def backup_of(world: World, instance: Instance) -> Backup:
    """Taken and judged, on demand."""
    wishes.back_up(world.services, instance, "dev")
    world.durable.run()
    with world.services.database.reading() as tx:
        return backups.page(tx, instance)[0]


def backed_up(world: World, environment: Environment) -> Instance:
    """With a backup and the operation that took it, each with the number 1."""
    made = instance_of(world, environment)
    assert backup_of(world, made).id == 1
    with world.services.database.reading() as tx:
        assert backups.operation(tx, 1).status is OperationStatus.SUCCEEDED
    return made


def read(world: World, instance: Instance) -> tuple[Instance, tuple[Backup, ...], Operation]:
    """As it stands, with its backups and its latest operation."""
    with world.services.database.reading() as tx:
        operation = backups.latest_operation(tx, instance.id)
        assert operation
        return managed.get(tx, instance.id), backups.page(tx, instance), operation
