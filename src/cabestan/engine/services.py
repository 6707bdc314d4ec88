"""What the engine works with, put together once by `bootstrap`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cabestan.adapters.backup_files import BackupFiles
from cabestan.adapters.builders import Builders
from cabestan.adapters.databases import Databases
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.git import Repositories
from cabestan.adapters.images import ImageCatalogue
from cabestan.adapters.job_containers import JobContainers
from cabestan.adapters.registry import Registry
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stack_runs import StackRuns
from cabestan.adapters.stacks import Stacks
from cabestan.adapters.vault import Vault
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.route import Probe
from cabestan.engine.alarm import Alarm
from cabestan.engine.changes import Changes
from cabestan.engine.durable import Durable
from cabestan.store.database import Database
from cabestan.store.logs import LogHub, LogStore


@dataclass(frozen=True)
class Services:
    """The database, the outside systems and the clock."""

    settings: Settings
    database: Database
    vault: Vault
    repositories: Repositories
    engine: Engine
    jobs: JobContainers
    builders: Builders
    runs: StackRuns
    stacks: Stacks
    databases: Databases
    backups: BackupFiles
    registry: Registry
    platform: PlatformContainers
    images: ImageCatalogue
    logs: LogStore
    hub: LogHub
    changes: Changes
    durable: Durable
    #: rings when schedules have changed
    alarm: Alarm
    now: Callable[[], datetime]
    #: asks through the router; empty, or what is wrong with the answer
    probe: Callable[[Probe], str] = field(repr=False)

    @property
    def router_name(self) -> str:
        return docker_names.router(self.settings.instance)

    @property
    def registry_name(self) -> str:
        return docker_names.registry(self.settings.instance)
