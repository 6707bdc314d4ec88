"""What the engine works with, put together once by `bootstrap`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.adapters.backup_files import BackupFiles
from cabestan.adapters.builders import Builders
from cabestan.adapters.git import Repositories
from cabestan.adapters.images import ImageCatalogue
from cabestan.adapters.job_containers import JobContainers
from cabestan.adapters.registry import Registry
from cabestan.adapters.vault import Vault
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.target import LOCAL
from cabestan.engine.alarm import Alarm
from cabestan.engine.changes import Changes
from cabestan.engine.cluster import Cluster, Placed
from cabestan.engine.durable import Durable
from cabestan.engine.settling import Settling
from cabestan.errors import NotFound
from cabestan.store.database import Database
from cabestan.store.journal import Journals
from cabestan.store.logs import LogHub, LogStore


@dataclass(frozen=True)
class Services:
    """The database, the outside systems and the clock."""

    settings: Settings
    database: Database
    vault: Vault
    repositories: Repositories
    #: those that environments are deployed to, by their targets' names
    clusters: Mapping[str, Cluster]
    jobs: JobContainers
    builders: Builders
    backups: BackupFiles
    registry: Registry
    images: ImageCatalogue
    logs: LogStore
    #: what applications say
    journals: Journals
    settling: Settling
    hub: LogHub
    changes: Changes
    durable: Durable
    #: rings when schedules have changed
    alarm: Alarm
    now: Callable[[], datetime]

    @property
    def home(self) -> Cluster:
        """Where the platform itself runs, its builders and its jobs."""
        return self.clusters[LOCAL]

    def cluster_of(self, placed: Placed) -> Cluster:
        """The one that an environment, or what belongs to one, is on."""
        if placed.target not in self.clusters:
            raise NotFound(f"There is no target {placed.target}.", f"Use {', '.join(self.clusters)}.")
        return self.clusters[placed.target]

    @property
    def registry_name(self) -> str:
        return docker_names.registry(self.settings.instance)
