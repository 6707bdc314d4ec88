"""Looks once an hour how full the disk of the volumes is, and how large each has become."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog

from cabestan.adapters.volume_sizes import EngineDisk, VolumeSize, disk_of
from cabestan.engine.alerts import clear_alert, clear_all, raise_alert
from cabestan.engine.cluster import Cluster
from cabestan.engine.services import Services
from cabestan.errors import CabestanError
from cabestan.store import projects as project_store

_log = structlog.get_logger(__name__)
#: of a disk; of one volume
FULL, LARGE = "volumes", "volume"
_SHOWN = 5
_GIB = 2**30
_UNLOCK = "Remove what is not needed (`cabestan doctor` tells what the platform takes), or give the disk more room."
_SMALLER = "Look what is kept in it, or raise volume_bytes in the settings where so much is right."


def watch_volumes(services: Services) -> None:
    """An engine that does not answer is looked at the next time."""
    large: dict[str, VolumeSize] = {}
    whole = True
    for cluster in services.clusters.values():
        for disk in _disks(services, cluster):
            if disk is None:
                whole = False
                continue
            _look(services, cluster, disk)
            large |= {_subject(one): one for one in _large(services, disk.volumes)}
    for one in large.values():
        _raise_large(services, one)
    if whole:
        clear_all(services, LARGE, lambda subject: subject not in large)


def _disks(services: Services, cluster: Cluster) -> Iterator[EngineDisk | None]:
    """Of each of its engines; None for one that does not tell."""
    for engine in cluster.nodes.all:
        try:
            yield disk_of(engine, services.settings.instance)
        except CabestanError as error:
            _log.warning("the volumes of an engine are not counted", engine=engine.address, error=str(error))
            yield None


def _look(services: Services, cluster: Cluster, disk: EngineDisk) -> None:
    """At a disk that this machine sees; the engines of others are on disks of their own."""
    if not cluster.engine.address.startswith("unix://") or not Path(disk.folder).is_dir():
        return
    used = shutil.disk_usage(disk.folder)
    percent = used.used * 100 // (used.used + used.free or 1)
    if percent < services.settings.volume_disk_percent:
        clear_alert(services, FULL, disk.folder)
        return
    left, total = used.free / _GIB, used.total / _GIB
    message = f"The disk of the volumes ({disk.folder}) is {percent} % full: {left:.1f} of {total:.0f} GiB are left."
    raise_alert(services, FULL, disk.folder, message, _UNLOCK, words=largest(disk.volumes))


def largest(volumes: Iterable[VolumeSize]) -> str:
    """A line for each of the largest, with whose it is."""
    shown = list(volumes)[:_SHOWN]
    return "\n".join(f"{one.bytes / _GIB:7.1f} GiB  {_subject(one)}" for one in shown)


def _large(services: Services, volumes: Iterable[VolumeSize]) -> Iterator[VolumeSize]:
    """Those of environments that are larger than they may be without anybody being told."""
    most = services.settings.volume_bytes
    return (one for one in volumes if most and one.project and one.bytes > most)


def _raise_large(services: Services, one: VolumeSize) -> None:
    with services.database.reading() as tx:
        project = project_store.find(tx, one.project)
    most = services.settings.volume_bytes / _GIB
    message = f"The volume {one.title} of {one.environment} takes {one.bytes / _GIB:.1f} GiB, more than {most:.1f}."
    raise_alert(services, LARGE, _subject(one), message, _SMALLER, project=project)


def _subject(one: VolumeSize) -> str:
    return f"{one.project} {one.environment} {one.title}" if one.project else one.title
