"""What an environment has in Docker, on the disk and in the database, taken away part by part."""

import sqlalchemy as sa

from cabestan.domain import docker_names
from cabestan.domain.deletion import Deletion
from cabestan.domain.environment import Environment
from cabestan.engine.managed import remote_copies
from cabestan.engine.names import certificates
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.store import backups as backup_store
from cabestan.store import deletions as deletion_store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import managed as managed_store
from cabestan.store import outbox, taking_away


def all_of(tx: sa.Connection, deletion: Deletion) -> tuple[Environment, ...]:
    """The environments that a deletion is about and that are still there."""
    found = environment_store.of_project(tx, deletion.project_id)
    return tuple(one for one in found if deletion.environment_id in (0, one.id))


def present(services: Services, deletion: Deletion) -> tuple[Environment, ...]:
    with services.database.reading() as tx:
        return all_of(tx, deletion)


def stop(services: Services, deletion: Deletion) -> None:
    """The application's services, with their secrets and configs; databases go on, for they are asked for a backup."""
    found = present(services, deletion)
    with services.database.writing() as tx:
        taking_away.nothing_serves(tx, [environment.id for environment in found])
    for environment in found:
        cluster = services.cluster_of(environment)
        cluster.stacks.remove(environment.stack_name(services.settings.instance), ())


def take_away(services: Services, deletion: Deletion) -> None:
    for environment in present(services, deletion):
        _leave_networks(services, environment)
        cluster, stack = services.cluster_of(environment), environment.stack_name(services.settings.instance)
        for name in cluster.volumes.of_stack(stack):
            cluster.volumes.remove(name)
        _drop_backups(services, environment)
        cluster.stacks.forget(stack)


def remove_volume(services: Services, deletion: Deletion) -> None:
    """The one that a deletion names."""
    for environment in present(services, deletion):
        volumes = services.cluster_of(environment).volumes
        for name, called in volumes.of_stack(environment.stack_name(services.settings.instance)).items():
            if called == deletion.volume:
                volumes.remove(name)


def forget(services: Services, deletion: Deletion) -> None:
    """Logs first, so that none is left behind that nothing refers to; the router loses what it had of its names."""
    for environment in present(services, deletion):
        with services.database.reading() as tx:
            runs, hosts = taking_away.runs_of(tx, environment.id), _hosts_of(services, tx, environment)
        for run_id in runs:
            services.logs.delete(service_runs.log_id(run_id))
        services.journals.delete(environment.id)
        with services.database.writing() as tx:
            outbox.tell(tx, environment.project_id, services.now())
            taking_away.delete_environment(tx, environment)
        certificates.forget(services, hosts)


def _leave_networks(services: Services, environment: Environment) -> None:
    cluster, stack = services.cluster_of(environment), environment.stack_name(services.settings.instance)
    networks = cluster.stacks.networks_of(environment.id) | {docker_names.network(stack)}
    for name in sorted(networks):
        cluster.platform.leave(cluster.router, name)
    cluster.stacks.remove(stack, networks)


def _drop_backups(services: Services, environment: Environment) -> None:
    """Those of former times, here and elsewhere, of its databases; the last ones are kept on their own record."""
    with services.database.reading() as tx:
        instances = managed_store.ever_in(tx, environment.id)
        kept = deletion_store.kept_files(tx)
        stored = [backup for instance in instances for backup in backup_store.stored(tx, instance.id)]
    for backup in stored:
        if backup.file not in kept:
            remote_copies.remove(services, backup)
            services.backups.remove(backup.file)
            services.backups.remove_folder_of(backup.file)
    for instance in instances:
        services.cluster_of(instance).stacks.forget(instance.stack)


def _hosts_of(services: Services, tx: sa.Connection, environment: Environment) -> tuple[str, ...]:
    """Every name that it ever had a certificate for."""
    plans = (deployment_store.plan_of(tx, d.id) for d in deployment_store.page(tx, environment_id=environment.id))
    hosts = {host for plan in plans if plan for host in plan.hosts}
    return tuple(sorted({*hosts, environment.full_domain(services.settings.target_domain)}))
