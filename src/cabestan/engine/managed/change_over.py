"""How a service comes to another volume: by a restore or an upgrade. What it had stays in its own volume.

A new volume is filled in a scratch instance and compared; only then does the service change over to it.
"""

import time

from cabestan.domain.backup import Operation
from cabestan.domain.managed import Instance, volume_name
from cabestan.engine.managed import backups, instances
from cabestan.engine.managed.operated import backup_of, operation_of, scratch_of
from cabestan.engine.services import Services
from cabestan.errors import Conflict
from cabestan.store import backups as store
from cabestan.store import managed as managed_store


def stand_still(services: Services, operation: Operation, instance: Instance) -> str:
    """The service stops, so that nothing is written any more; a container without network has its volume instead."""
    instances.apply(services, instance, replicas=0)
    instances.wait_until_stopped(services, instance, time.monotonic() + services.settings.managed_seconds)
    scratch = scratch_of(services, operation, instance, instance.image, instance.volume)
    databases = services.cluster_of(instance).databases
    container = databases.start_scratch(scratch)
    databases.wait_until_ready(container, services.settings.managed_seconds)
    return container


def load(services: Services, operation: Operation, instance: Instance) -> None:
    """The backup into a new volume, which is to take the place of the present one."""
    stack = instance.stack.removesuffix(f"-{instance.kind}")
    volume = volume_name(stack, instance.kind, instance.id, instance.generation + 1)
    backup = backup_of(services, operation)
    image = operation.image or instance.image
    scratch = scratch_of(services, operation, instance, image, volume)
    databases = services.cluster_of(instance).databases
    databases.remove_scratch(scratch)
    databases.remove_volume(volume)
    with services.database.writing() as tx:
        store.update_operation(tx, operation.id, volume=volume)
    if wrong := backups.judge(services, backup, backups.restored_manifest(services, backup, scratch)):
        raise Conflict(wrong, "The data of the service is untouched.")
    databases.stop_scratch(scratch.name)
    databases.remove_scratch(scratch)


def switch(services: Services, operation: Operation, instance: Instance) -> None:
    """The service changes over to the new volume. What it had before is kept, and stored for `take_back`."""
    wanted = operation_of(services, operation.id)
    if instance.volume != wanted.volume:
        former = {
            "former_volume": instance.volume,
            "former_image": instance.image,
            "former_version": instance.version,
        }
        changed = {
            "volume": wanted.volume,
            "kept_volumes": (*instance.kept_volumes, instance.volume),
            "generation": instance.generation + 1,
        }
        if wanted.image:
            changed |= {"image": wanted.image, "version": wanted.version}
        with services.database.writing() as tx:
            store.update_operation(tx, operation.id, **former)
            managed_store.update(tx, instance.id, **changed)
            instance = managed_store.get(tx, instance.id)
    instances.apply(services, instance)
    instances.wait(services, instance, time.monotonic() + services.settings.managed_seconds)


def take_back(services: Services, operation: Operation, instance: Instance) -> None:
    """After a change-over that failed: the service has again what it had, its image included.

    Its generation stays counted, so that no name is used twice.
    """
    former = operation_of(services, operation.id)
    if not former.former_volume:
        return
    kept = tuple(volume for volume in instance.kept_volumes if volume != former.former_volume)
    with services.database.writing() as tx:
        managed_store.update(
            tx,
            instance.id,
            volume=former.former_volume,
            image=former.former_image,
            version=former.former_version,
            kept_volumes=kept,
        )
        instance = managed_store.get(tx, instance.id)
    instances.apply(services, instance)
