"""The builders of projects: started for a build, kept warm while there are more, stopped when there are none."""

import os
import shutil
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from cabestan.adapters.builders import BuilderSpec
from cabestan.adapters.host_addresses import host_addresses
from cabestan.adapters.images.builder import proxies
from cabestan.engine.services import Services
from cabestan.store import pipelines as store

_log = structlog.get_logger(__name__)
#: what builders and the jobs that speak to them are made of
IMAGE = "cabestan/builder:1"


def ensure(services: Services, project_id: int, job_id: int) -> None:
    """Has the project's builder run for a job that is marked as running.

    Where there are as many as there may be, the one that was idle for the longest goes.
    """
    with services.builders.alone:
        with services.database.reading() as tx:
            busy = store.building(tx)
            ended = store.last_built(tx)
        others = [key for key in services.builders.running() if key != project_id]
        for key in superfluous(others, busy, ended, services.settings.builders - 1):
            services.builders.stop(key, services.settings.builder_disk_bytes)
        in_use = any(job != job_id for job in busy.get(project_id, ()))
        services.builders.ensure(spec_of(services, project_id), in_use=in_use)


def look(services: Services) -> None:
    """Stops those that nobody has used for a while, and the largest one where the disk runs full."""
    with services.builders.alone:
        with services.database.reading() as tx:
            busy = store.building(tx)
            ended = store.last_built(tx)
        running = services.builders.running()
        before = services.now() - timedelta(seconds=services.settings.builder_idle_seconds)
        for key in idle(running, busy, ended, before):
            services.builders.stop(key, services.settings.builder_disk_bytes)
        if running and shutil.disk_usage(services.settings.data).free < services.settings.free_bytes:
            largest = max(running, key=services.builders.size)
            _log.warning("the disk is short of room: a builder and its cache are removed", project=largest)
            services.builders.forget(largest)


def idle(
    running: Collection[int], busy: Collection[int], ended: Mapping[int, datetime], before: datetime
) -> tuple[int, ...]:
    """Those without a build whose last one ended before a time."""
    return tuple(key for key in running if key not in busy and (key not in ended or ended[key] < before))


def superfluous(
    running: Collection[int], busy: Collection[int], ended: Mapping[int, datetime], most: int
) -> tuple[int, ...]:
    """Those that go where at most so many may stay: the longest idle first, none that is busy."""
    free = sorted((key for key in running if key not in busy), key=lambda key: (key in ended, ended.get(key), key))
    return tuple(free[: max(0, len(running) - most)])


def spec_of(services: Services, project_id: int) -> BuilderSpec:
    """As the settings have it now."""
    settings = services.settings
    environment = proxies(os.environ)
    return BuilderSpec(
        instance=settings.instance,
        project_id=project_id,
        image=IMAGE,
        registry_port=settings.registry_port,
        server=urlsplit(settings.internal_url).netloc,
        memory=settings.builder_memory_bytes,
        disk=settings.builder_disk_bytes,
        reach=" ".join((settings.build_reach, *proxy_places(environment))),
        host_addresses=host_addresses(),
        environment=environment,
        authorities=settings.ca_bundle.read_bytes() if settings.ca_bundle else b"",
    )


def proxy_places(environment: Mapping[str, str]) -> tuple[str, ...]:
    """HOST:PORT of the proxies, which builds must reach wherever they are."""
    addresses = (urlsplit(value) for name, value in environment.items() if name.lower() != "no_proxy")
    found = (
        f"{one.hostname}:{one.port or (443 if one.scheme == 'https' else 80)}" for one in addresses if one.hostname
    )
    return tuple(sorted(set(found)))
