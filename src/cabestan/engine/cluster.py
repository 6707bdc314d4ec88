"""A Swarm that environments are deployed to, and everything that is done on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from cabestan.adapters.databases import Databases
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.local_images import LocalImages
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.probing import probe
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stack_runs import StackRuns
from cabestan.adapters.stacks import Stacks
from cabestan.adapters.volume_archives import VolumeArchives
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.references import Form
from cabestan.domain.route import Probe
from cabestan.domain.target import LOCAL, Target

_T = TypeVar("_T")


class Placed(Protocol):
    """What is on a cluster: an environment, and what belongs to one."""

    @property
    def target(self) -> str: ...


@dataclass(frozen=True)
class Cluster:
    """What is done on a target, and with what."""

    target: Target
    #: the name of its router's container
    router: str
    engine: Engine
    nodes: Nodes
    stacks: Stacks
    runs: StackRuns
    databases: Databases
    volumes: VolumeArchives
    #: its router, and what else of the platform runs there
    platform: PlatformContainers
    #: its own copies of images
    images: LocalImages
    #: what makes of the references in plans those by which its nodes find the images
    here: Form
    #: asks through its router; empty, or what is wrong with the answer
    probe: Callable[[Probe], str] = field(repr=False)

    def patiently(self, work: Callable[[], _T]) -> _T:
        """Does what may be repeated, again and again while its engine does not answer. Raises DeadlineExceeded."""
        return self.engine.patiently(work)


def local_target(settings: Settings) -> Target:
    """The one on this machine."""
    return Target(
        name=LOCAL,
        engine=settings.engine,
        registry=settings.registry,
        router_address=settings.router_address,
        router_host=settings.router_host,
        router_port=settings.router_port,
        router_tls_port=settings.router_tls_port,
    )


def cluster_at(target: Target, settings: Settings, login: RegistryLogin) -> Cluster:
    """`login`: of the registry under the address at which the target's nodes find it."""
    engine = Engine(target.engine, settings.engine_seconds)
    nodes = Nodes(engine, [Engine(address, settings.engine_seconds) for address in target.nodes])
    return Cluster(
        target=target,
        router=docker_names.router(settings.instance),
        engine=engine,
        nodes=nodes,
        stacks=Stacks(nodes, settings.instance, login, settings.data / "locks"),
        runs=StackRuns(nodes, settings.instance, login),
        databases=Databases(engine, settings.instance, login.here),
        volumes=VolumeArchives(engine, settings.instance, docker_names.router(settings.instance)),
        platform=PlatformContainers(engine, settings.instance),
        images=LocalImages(engine, target.registry),
        here=login.here,
        probe=lambda wanted: probe(*target.entrance, wanted),
    )
