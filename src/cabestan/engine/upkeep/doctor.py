"""Looks at everything that Cabestan needs, and says what to do about what is not well."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.registry import Registry
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.vault import Vault, read_key
from cabestan.config import Settings
from cabestan.domain import docker_names
from cabestan.domain.alert import Alert
from cabestan.domain.schedule import ON_TIME
from cabestan.engine.registry_login import registry_login
from cabestan.errors import CabestanError
from cabestan.store import alerts as alert_store
from cabestan.store import facts
from cabestan.store import schedules as schedule_store
from cabestan.store.database import Database

#: the oldest API with replicated jobs
_OLDEST_API = (1, 41)
_CLOCK_SECONDS = 2.0
KEY_CHECK = "key check"


class Health(StrEnum):
    """How a finding is to be taken."""

    #: as it should be
    OK = "ok"
    #: works, but will trouble somebody
    WARNING = "warning"
    #: something does not work
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`remedy` is empty where nothing is to be done."""

    check: str
    health: Health
    text: str
    remedy: str = ""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """All checks, each on its own: one that fails does not hide another."""
    engine = Engine(settings.engine)
    checks: dict[str, Callable[[], Finding]] = {
        "engine": lambda: _engine(engine),
        "swarm": lambda: _swarm(engine),
        "clock": lambda: _clock(engine),
        "disk": lambda: _disk(settings),
        "names": lambda: _names(settings),
        "key": lambda: _key(settings),
        "database": lambda: _database(settings),
        "alerts": lambda: _alerts(settings),
        "schedules": lambda: _schedules(settings),
        "registry": lambda: _registry(settings),
        "router": lambda: _router(settings, engine),
        "server": lambda: _port("server", settings.host, settings.port, "`cabestan up` starts the server."),
    }
    return tuple(_told(name, check) for name, check in checks.items())


def _told(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except CabestanError as error:
        return Finding(name, Health.ERROR, error.message, error.remedy)
    except SQLAlchemyError as error:
        text = f"The database cannot be read: {str(error).splitlines()[0]}"
        return Finding(name, Health.ERROR, text, "`cabestan up` brings its tables up to date.")


def _engine(engine: Engine) -> Finding:
    with engine.speaking("tell its version") as client:
        version = client.version()
    api = tuple(int(part) for part in version["ApiVersion"].split("."))
    text = f"Docker Engine {version['Version']}, API {version['ApiVersion']}"
    if api < _OLDEST_API:
        return Finding("engine", Health.ERROR, f"{text} is too old for jobs.", "Install Docker Engine 20.10 or newer.")
    return Finding("engine", Health.OK, text)


def _swarm(engine: Engine) -> Finding:
    with engine.speaking("tell of its Swarm") as client:
        swarm = client.info()["Swarm"]
    if swarm["LocalNodeState"] != "active" or not swarm["ControlAvailable"]:
        text = f"This node manages no Swarm (state: {swarm['LocalNodeState']})."
        return Finding("swarm", Health.ERROR, text, "`cabestan up` makes one of a single node.")
    return Finding("swarm", Health.OK, f"{swarm['Nodes']} node(s), {swarm['Managers']} manager(s)")


def _clock(engine: Engine) -> Finding:
    with engine.speaking("tell the time") as client:
        asked = datetime.now(UTC)
        theirs = datetime.fromisoformat(client.info()["SystemTime"])
        told = datetime.now(UTC)
    apart = max((asked - theirs).total_seconds(), (theirs - told).total_seconds())
    if apart > _CLOCK_SECONDS:
        return Finding("clock", Health.WARNING, f"The engine's clock is {apart:.0f} s off ours.", "Keep time with NTP.")
    return Finding("clock", Health.OK, "Engine and server agree")


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.data, *settings.data.parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GiB free at {place}"
    if free < settings.free_bytes:
        remedy = "Make room (old images: `docker image ls`), or lower free_bytes."
        return Finding("disk", Health.ERROR, f"{text}: no job or deployment begins.", remedy)
    return Finding("disk", Health.OK, text)


def _names(settings: Settings) -> Finding:
    name = f"staging-example.{settings.target_domain}"
    try:
        address = socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0]
    except OSError:
        local = settings.target_domain.endswith("localhost")
        remedy = "Browsers and curl know *.localhost by themselves; for other programs install libnss-myhostname."
        remedy = remedy if local else f"Let *.{settings.target_domain} point to this machine in your DNS."
        return Finding("names", Health.WARNING, f"{name} is not resolved on this machine.", remedy)
    return Finding("names", Health.OK, f"{name} is {address}")


def _key(settings: Settings) -> Finding:
    vault = Vault(read_key(settings.key_path))
    database = Database(settings.database)
    try:
        with database.reading() as tx:
            check = facts.get(tx, KEY_CHECK)
    finally:
        database.close()
    if check is not None and not vault.recognises(check):
        text = f"The key in {settings.key_path} is not the one that the secrets were sealed with."
        return Finding("key", Health.ERROR, text, "Bring back the right key file from your backup.")
    return Finding("key", Health.OK, f"{settings.key_path} fits the stored secrets")


def _database(settings: Settings) -> Finding:
    database = Database(settings.database)
    try:
        database.check()
    finally:
        database.close()
    return Finding("database", Health.OK, database.url.render_as_string(hide_password=True))


def open_alerts(settings: Settings) -> tuple[Alert, ...]:
    """Those of all projects and of the installation."""
    database = Database(settings.database)
    try:
        with database.reading() as tx:
            return alert_store.all_open(tx)
    finally:
        database.close()


def _schedules(settings: Settings) -> Finding:
    """Nothing is due for longer than it takes to begin it: else nobody looks at the clock."""
    database = Database(settings.database)
    try:
        with database.reading() as tx:
            waiting = schedule_store.waiting(tx)
    finally:
        database.close()
    late = [due for due, _ in waiting if datetime.now(UTC) - due > ON_TIME]
    if late:
        text = f"{len(late)} of {len(waiting)} are overdue, since {min(late):%Y-%m-%d %H:%M} UTC"
        return Finding("schedules", Health.ERROR, text, "Start the server; where it runs, its log says what is wrong.")
    return Finding("schedules", Health.OK, f"{len(waiting)} wait for their time")


def _alerts(settings: Settings) -> Finding:
    found = open_alerts(settings)
    if found:
        text = f"{len(found)} open; {found[0].kind}: {found[0].subject}: {found[0].message}"
        return Finding("alerts", Health.WARNING, text, "`cabestan alert list` shows all, with their remedies.")
    return Finding("alerts", Health.OK, "none is open")


def _registry(settings: Settings) -> Finding:
    Registry(registry_login(settings, Vault(read_key(settings.key_path)))).check()
    return Finding("registry", Health.OK, f"answers at {settings.registry}")


def _router(settings: Settings, engine: Engine) -> Finding:
    name = docker_names.router(settings.instance)
    if not PlatformContainers(engine, settings.instance).running(name):
        return Finding("router", Health.ERROR, f"The container {name} does not run.", "`cabestan up` starts it.")
    remedy = f"`docker logs {name}` may tell why."
    plain = _port("router", settings.router_host, settings.router_port, remedy)
    secure = _port("router", settings.router_host, settings.router_tls_port, remedy)
    if plain.health is not Health.OK:
        return plain
    text = f"{plain.text} and {settings.router_tls_port}" if secure.health is Health.OK else secure.text
    return Finding("router", secure.health, text, secure.remedy)


def _port(check: str, host: str, port: int, remedy: str) -> Finding:
    try:
        with socket.create_connection((host, port), timeout=3):
            return Finding(check, Health.OK, f"answers at {host}:{port}")
    except OSError as error:
        return Finding(check, Health.ERROR, f"Nothing answers at {host}:{port} ({error}).", remedy)
