"""Puts everything together, in one function."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from cabestan.adapters.backup_files import BackupFiles
from cabestan.adapters.databases import Databases
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.git import Repositories
from cabestan.adapters.images import ImageCatalogue
from cabestan.adapters.job_containers import JobContainers
from cabestan.adapters.probing import probe
from cabestan.adapters.registry import Registry
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stack_runs import StackRuns
from cabestan.adapters.stacks import Stacks
from cabestan.adapters.vault import Vault, make_key, read_key
from cabestan.config import Settings
from cabestan.domain.known_secrets import KnownSecrets
from cabestan.engine import pipelines, recovery, releases, strict_rules
from cabestan.engine.alarm import Alarm
from cabestan.engine.changes import Changes
from cabestan.engine.clock import Clock
from cabestan.engine.cron_runs import CronRunner
from cabestan.engine.deploying import workflow as deploying
from cabestan.engine.doctor import KEY_CHECK
from cabestan.engine.durable import Durable
from cabestan.engine.housekeeping import Housekeeper
from cabestan.engine.jobs import JobRunner
from cabestan.engine.keeping import Keeper
from cabestan.engine.managed import operations
from cabestan.engine.managed.clock import BackupClock
from cabestan.engine.registry_login import registry_login
from cabestan.engine.room import RoomWatcher
from cabestan.engine.services import Services
from cabestan.errors import ConfigurationError
from cabestan.store import facts
from cabestan.store.database import Database
from cabestan.store.logs import LogHub, LogStore
from cabestan.store.migrate import migrate


@dataclass(frozen=True)
class Cabestan:
    """The whole platform in one process. `start` goes on with work in flight, `close` leaves it for the next start."""

    services: Services
    housekeeper: Housekeeper
    clock: Clock
    backup_clock: BackupClock
    room: RoomWatcher
    keeper: Keeper

    def start(self) -> None:
        self.services.durable.launch()
        recovery.reconcile(self.services)
        self.housekeeper.start()
        self.clock.start()
        self.backup_clock.start()
        self.room.start()
        self.keeper.start()

    def close(self) -> None:
        self.clock.stop()
        self.housekeeper.stop()
        self.backup_clock.stop()
        self.room.stop()
        self.keeper.stop()
        self.services.durable.close()
        self.services.database.close()


def bootstrap(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    checkpoint: Callable[[str], None] = lambda _name: None,
    known: KnownSecrets | None = None,
) -> Cabestan:
    """Opens the database (bringing its tables up to date) and the key. Raises ConfigurationError.

    `checkpoint` is called before and after each durable step; tests stop the process there. `known` learns of the
    secrets that are used.
    """
    strict_rules.check(settings)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database)
    with ExitStack() as on_failure:
        on_failure.callback(database.close)
        database.check()
        migrate(database)
        vault = open_vault(settings, database, known)
        on_failure.pop_all()
    engine, login = Engine(settings.engine), registry_login(settings, vault)
    services = Services(
        settings=settings,
        database=database,
        vault=vault,
        repositories=Repositories(settings.data / "repositories"),
        engine=engine,
        jobs=JobContainers(engine, settings.instance),
        runs=StackRuns(engine, settings.instance),
        stacks=Stacks(engine, settings.instance, login, settings.data / "locks"),
        databases=Databases(engine, settings.instance),
        backups=BackupFiles(settings.data / "backups"),
        registry=Registry(login),
        platform=PlatformContainers(engine, settings.instance),
        images=ImageCatalogue(engine, settings.images, settings.ca_bundle),
        logs=LogStore(settings.data / "logs", settings.job_log_bytes),
        hub=LogHub(),
        changes=Changes(),
        alarm=Alarm(),
        durable=Durable(_durable_url(settings), checkpoint, database.out_of_room),
        now=now,
        probe=lambda wanted: probe(settings.router_host, settings.router_tls_port, wanted),
    )
    _register(services)
    return Cabestan(
        services,
        Housekeeper(services),
        Clock(services),
        BackupClock(services),
        RoomWatcher(services),
        Keeper(services),
    )


@contextmanager
def open_store(settings: Settings) -> Iterator[Database]:
    """The database alone, its tables up to date, for what is done without a server. Raises ConfigurationError."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(Database(settings.database)) as database:
        database.check()
        migrate(database)
        yield database


def _register(services: Services) -> None:
    pipelines.register(services)
    JobRunner(services).register()
    releases.register(services)
    deploying.register(services)
    CronRunner(services).register()
    operations.register(services)


def open_vault(settings: Settings, database: Database, known: KnownSecrets | None = None) -> Vault:
    """With the key that the stored secrets were sealed with, or not at all. A new installation gets a new key."""
    with database.writing() as tx:
        check = facts.get(tx, KEY_CHECK)
        if check is None and not settings.key_path.exists():
            make_key(settings.key_path)
        vault = Vault(read_key(settings.key_path), known)
        if check is None:
            facts.put(tx, KEY_CHECK, vault.check_value())
        elif not vault.recognises(check):
            raise ConfigurationError(
                f"The key in {settings.key_path} is not the one that the stored secrets were sealed with.",
                "Bring back the right key file from your backup.",
            )
    return vault


def _durable_url(settings: Settings) -> str:
    """SQLite: a file beside ours, so that the two never wait for each other's lock. PostgreSQL: the same database."""
    if settings.database.startswith("sqlite"):
        return f"sqlite:///{settings.data / 'workflows.sqlite'}"
    return settings.database.replace("postgresql+psycopg://", "postgresql://", 1)
