"""Keeps the disk from filling: old logs are packed, old runs and pipelines and local copies of old images go, finished
workflows are forgotten.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
import structlog

from cabestan.adapters.local_images import LocalImage
from cabestan.compose.stack import Stack
from cabestan.domain import docker_names
from cabestan.domain.environment import Environment
from cabestan.engine import outbox
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.deleting import last_backups
from cabestan.engine.names import certificates
from cabestan.engine.names.certificate_watch import keep_accounts, watch
from cabestan.engine.observing.availability import fold_uptime
from cabestan.engine.repeating import Repeating, every
from cabestan.engine.running import service_runs
from cabestan.engine.services import Services
from cabestan.engine.upkeep.volume_watch import watch_volumes
from cabestan.errors import CabestanError, DeadlineExceeded
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import facts, old_pipelines
from cabestan.store import managed as managed_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import releases as release_store
from cabestan.store import runs as run_store
from cabestan.store import users as user_store

_log = structlog.get_logger(__name__)
_EVERY_SECONDS = 3600
_FIRST_AFTER_SECONDS = 300
#: logs are packed so long after their job's end
_COLD = timedelta(days=1)
#: nothing younger is taken away: a pipeline may be about to use it
_YOUNG = timedelta(days=1)
#: of each project, and of each environment's successes, so many stay at hand; older ones are pulled again when needed
_KEPT_RELEASES = 10
#: pipelines that go in one transaction
_AT_ONCE = 20
_PACKED_UNTIL = "logs packed until"


def housekeeper(services: Services) -> Repeating:
    return every("housekeeping", partial(_keep_house, services), _EVERY_SECONDS, _FIRST_AFTER_SECONDS)


def _keep_house(services: Services) -> None:
    """One that fails, as on a full disk, keeps none of the others from being done."""
    for work in (
        pack_logs,
        drop_runs,
        drop_pipelines,
        drop_images,
        drop_secrets,
        drop_networks,
        forget,
        last_backups.forget_old,
        outbox.drop_old,
        fold_uptime,
        certificates.renew,
        keep_accounts,
        watch,
        watch_volumes,
    ):
        try:
            work(services)
        except Exception as error:
            _log.warning("housekeeping has to wait", what=work.__name__, error=str(error))


def pack_logs(services: Services) -> None:
    """Logs of jobs and runs that ended a while ago take a tenth of the space, and stay readable."""
    until = services.now() - _COLD
    with services.database.reading() as tx:
        since = datetime.fromisoformat(facts.get(tx, _PACKED_UNTIL) or "1970-01-01T00:00:00+00:00")
        ended = [log_id(job_id) for job_id in pipeline_store.jobs_ended_between(tx, since, until)]
        ended += [service_runs.log_id(run_id) for run_id in run_store.ended_between(tx, since, until)]
    for log in ended:
        with suppress(CabestanError):
            services.logs.compress(log)
    with services.database.writing() as tx:
        facts.put(tx, _PACKED_UNTIL, until.isoformat())


def drop_runs(services: Services) -> None:
    """Of each schedule the newest runs are kept, with their logs."""
    with services.database.writing() as tx:
        dropped = run_store.superfluous(tx, services.settings.kept_runs)
        for run_id in dropped:
            run_store.delete(tx, run_id)
    for run_id in dropped:
        services.logs.delete(service_runs.log_id(run_id))


def drop_pipelines(services: Services) -> None:
    """Of each project the newest pipelines are kept, and those whose release stays."""
    if not services.settings.kept_pipelines:
        return
    with services.database.reading() as tx:
        projects = project_store.all_projects(tx)
    for project in projects:
        while _drop_some(services, project.id):
            continue


def _drop_some(services: Services, project_id: int) -> bool:
    """A few at a time: others write, too. Logs go first, so that none is left behind that nothing refers to."""
    before = services.now() - _YOUNG
    with services.database.writing() as tx:
        dropped = old_pipelines.superfluous(tx, project_id, services.settings.kept_pipelines, before, _AT_ONCE)
        for job_id in old_pipelines.jobs_of(tx, dropped):
            services.logs.delete(log_id(job_id))
        old_pipelines.delete(tx, dropped)
    return len(dropped) == _AT_ONCE


def drop_images(services: Services) -> None:
    """Local copies of images that no release at hand needs; the registry keeps them all."""
    kept = kept_images(services)
    for cluster in services.clusters.values():
        needed = frozenset(map(cluster.here, kept))
        for image in superfluous(cluster.images.present(), needed, services.now() - _YOUNG):
            cluster.images.remove(image)


def kept_images(services: Services) -> frozenset[str]:
    """References by digest: of what serves, of what can be rolled back to soon, and of the latest releases."""
    with services.database.reading() as tx:
        kept = {
            release.id: release
            for project in project_store.all_projects(tx)
            for release in release_store.page(tx, project.id, limit=_KEPT_RELEASES)
        }
        for environment in environment_store.all_environments(tx):
            for deployment in deployment_store.succeeded_in(tx, environment.id, _KEPT_RELEASES):
                kept[deployment.release_id] = release_store.by_id(tx, deployment.release_id)
        databases = {instance.image for instance in managed_store.present(tx)}
    return frozenset(image for release in kept.values() for image in release.images.values()) | databases


def drop_secrets(services: Services) -> None:
    """Swarm's copies of secrets that nothing which runs, waits or can soon be rolled back to has as files."""
    with services.database.reading() as tx:
        environments = environment_store.all_environments(tx)
    for environment in environments:
        with services.database.reading() as tx:
            stacks = kept_stacks(tx, environment)
        secrets = frozenset(name for stack in stacks for name in stack.secret_files)
        configs = frozenset(name for stack in stacks for name in stack.files)
        name = environment.stack_name(services.settings.instance)
        deployed = services.cluster_of(environment).stacks
        with suppress(DeadlineExceeded):  # it is being deployed to: the next time
            deployed.drop_secrets(name, secrets)
            deployed.drop_configs(name, configs)


def drop_networks(services: Services) -> None:
    """Those of an environment that nothing which runs, waits or can soon be rolled back to has."""
    with services.database.reading() as tx:
        environments = environment_store.all_environments(tx)
    for environment in environments:
        own = docker_names.network(environment.stack_name(services.settings.instance))
        cluster = services.cluster_of(environment)
        there = cluster.stacks.networks_of(environment.id) - {own}
        if not there:
            continue
        with services.database.reading() as tx:
            kept = {network.name for stack in kept_stacks(tx, environment) for network in stack.networks}
        for name in sorted(there - kept):
            cluster.platform.leave(cluster.router, name)
            cluster.stacks.drop_network(name)


def kept_stacks(tx: sa.Connection, environment: Environment) -> tuple[Stack, ...]:
    """Of what is open, of what serves, and of the latest successes."""
    wanted = {d.id for d in deployment_store.open_in(tx, environment.id)}
    wanted |= {d.id for d in deployment_store.succeeded_in(tx, environment.id, _KEPT_RELEASES)}
    if environment.current_deployment_id is not None:
        wanted.add(environment.current_deployment_id)
    plans = (deployment_store.plan_of(tx, key) for key in wanted)
    return tuple(Stack.from_yaml(plan.stack) for plan in plans if plan)


def superfluous(present: tuple[LocalImage, ...], kept: frozenset[str], before: datetime) -> tuple[LocalImage, ...]:
    """Those that nothing needs and that were made before a time."""
    return tuple(image for image in present if image.created_at < before and not kept.intersection(image.digests))


def forget(services: Services) -> None:
    """Tokens that are over, and the records of workflows that ended."""
    with services.database.writing() as tx:
        user_store.drop_expired_tokens(tx, services.now())
    services.durable.forget(services.now() - _COLD)
