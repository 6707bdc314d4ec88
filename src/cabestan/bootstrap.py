"""Puts everything together, in one function."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
import structlog

from cabestan.adapters.backup_files import BackupFiles
from cabestan.adapters.builders import Builders
from cabestan.adapters.git import Repositories
from cabestan.adapters.git_process import Limits
from cabestan.adapters.git_trees import Bounds
from cabestan.adapters.images import ImageCatalogue
from cabestan.adapters.job_containers import JobContainers
from cabestan.adapters.registry import Registry
from cabestan.adapters.vault import Vault, make_key, read_key
from cabestan.config import Settings
from cabestan.domain.known_secrets import KnownSecrets
from cabestan.domain.target import LOCAL, Target
from cabestan.engine import disk
from cabestan.engine.alarm import Alarm
from cabestan.engine.building import pipelines, releases, strict_rules
from cabestan.engine.building.jobs import JobRunner
from cabestan.engine.changes import Changes
from cabestan.engine.cluster import Cluster, cluster_at, local_target
from cabestan.engine.deleting import workflow as deleting
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying import workflow as deploying
from cabestan.engine.durable import Durable
from cabestan.engine.journal.keeping import JournalKeeper
from cabestan.engine.managed import operations
from cabestan.engine.managed.backup_clock import backup_clock
from cabestan.engine.observing.observer import Observer
from cabestan.engine.observing.uptime import Uptime
from cabestan.engine.outbox import pages
from cabestan.engine.registry_login import registry_login
from cabestan.engine.repeating import Repeating
from cabestan.engine.running.clock import Clock
from cabestan.engine.running.cron_runs import CronRunner
from cabestan.engine.services import Services
from cabestan.engine.settling import Settling
from cabestan.engine.turns.places import places
from cabestan.engine.upkeep import recovery
from cabestan.engine.upkeep.disk_watch import disk_watcher
from cabestan.engine.upkeep.doctor import KEY_CHECK
from cabestan.engine.upkeep.housekeeping import housekeeper
from cabestan.engine.upkeep.keeping import keeper
from cabestan.errors import ConfigurationError
from cabestan.store import facts
from cabestan.store.database import Database
from cabestan.store.fullness import is_full, storage_full
from cabestan.store.journal import Journals
from cabestan.store.logs import LogHub, LogStore
from cabestan.store.migrate import migrate

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Cabestan:
    """The whole platform in one process. `start` goes on with work in flight, `close` leaves it for the next start."""

    services: Services
    threads: tuple[Clock | Observer | JournalKeeper | Repeating | Uptime, ...]

    def start(self) -> None:
        """On a full disk the server reads and says so; what is under way goes on when there is room."""
        try:
            recovery.begin(self.services)
        except Exception as error:
            if not is_full(error):
                raise
            self.services.database.out_of_room.set()
        disk.keep_reserve(self.services.settings.data)
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        for thread in self.threads:
            thread.stop()
        self.services.durable.close()
        self.services.database.close()
        disk.keep_reserve(self.services.settings.data)


def bootstrap(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    checkpoint: Callable[[str], None] = lambda _name: None,
    known: KnownSecrets | None = None,
    targets: Iterable[Target] = (),
) -> Cabestan:
    """Opens the database (bringing its tables up to date) and the key. Raises ConfigurationError.

    `checkpoint` is called before and after each durable step; tests stop the process there. `known` learns of the
    secrets that are used. `targets` are those beside the one on this machine.
    """
    strict_rules.check(settings)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    full = disk.use_reserve(settings.data)
    database = Database(settings.database, settings.registry)
    if full:
        _log.error(str(storage_full()), folder=str(settings.data))
        database.out_of_room.set()
    with ExitStack() as on_failure:
        on_failure.callback(database.close)
        database.check()
        migrate(database)
        vault = open_vault(settings, database, known)
        on_failure.pop_all()
    clusters = _clusters(settings, vault, targets)
    engine, nodes = clusters[LOCAL].engine, clusters[LOCAL].nodes
    services = Services(
        settings=settings,
        database=database,
        vault=vault,
        repositories=_repositories(settings),
        clusters=clusters,
        jobs=JobContainers(nodes, settings.instance),
        builders=Builders(engine, settings.instance),
        backups=BackupFiles(settings.data / "backups"),
        registry=Registry(registry_login(settings, vault)),
        images=ImageCatalogue(engine, settings.images, settings.ca_bundle),
        logs=LogStore(settings.data / "logs", settings.job_log_bytes),
        journals=Journals(settings.data / "journals"),
        settling=Settling(),
        hub=LogHub(),
        changes=Changes(),
        alarm=Alarm(),
        durable=Durable(_durable_url(settings), checkpoint, database.out_of_room, places(settings)),
        now=now,
    )
    _register(services)
    observer = Observer(services)
    return Cabestan(
        services,
        (
            Clock(services),
            disk_watcher(services, lambda: recovery.begin(services)),
            pages(services),
            housekeeper(services),
            backup_clock(services),
            keeper(services),
            observer,
            JournalKeeper(services),
            Uptime(services, observer.hear),
        ),
    )


@contextmanager
def open_store(settings: Settings) -> Iterator[Database]:
    """The database alone, its tables up to date, for what is done without a server. Raises ConfigurationError."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database(settings.database, settings.registry)) as database:
        database.check()
        migrate(database)
        yield database


def _clusters(settings: Settings, vault: Vault, targets: Iterable[Target]) -> dict[str, Cluster]:
    return {
        target.name: cluster_at(target, settings, registry_login(settings, vault, target.registry))
        for target in (local_target(settings), *targets)
    }


def _repositories(settings: Settings) -> Repositories:
    bounds = Bounds(settings.commit_files, settings.commit_bytes)
    limits = Limits(settings.git_processor_seconds, settings.git_memory_bytes)
    return Repositories(settings.data / "repositories", bounds, limits)


def _register(services: Services) -> None:
    pipelines.register(services)
    JobRunner(services).register()
    releases.register(services)
    deploying.register(services)
    CronRunner(services).register()
    deleting.register(services)
    operations.register(services, partial(deployments.configuration_changed, services))


def open_vault(settings: Settings, database: Database, known: KnownSecrets | None = None) -> Vault:
    """With the key that the stored secrets were sealed with, or not at all. A new installation gets a new key."""
    with database.reading() as tx:  # a full disk lets nobody write
        check = facts.get(tx, KEY_CHECK)
    if check is None:
        with database.writing() as tx:
            check = _new_check(settings, tx)
    vault = Vault(read_key(settings.key_path), known)
    if not vault.recognises(check):
        raise ConfigurationError(
            f"The key in {settings.key_path} is not the one that the stored secrets were sealed with.",
            "Bring back the right key file from your backup.",
        )
    return vault


def _new_check(settings: Settings, tx: sa.Connection) -> str:
    """What a new installation recognises its key by; another process may have been first."""
    if check := facts.get(tx, KEY_CHECK):
        return check
    if not settings.key_path.exists():
        make_key(settings.key_path)
    check = Vault(read_key(settings.key_path)).check_value()
    facts.put(tx, KEY_CHECK, check)
    return check


def _durable_url(settings: Settings) -> str:
    """SQLite: a file beside ours, so that the two never wait for each other's lock. PostgreSQL: the same database."""
    if settings.database.startswith("sqlite"):
        return f"sqlite:///{settings.data / 'workflows.sqlite'}"
    return settings.database.replace("postgresql+psycopg://", "postgresql://", 1)
