"""What `up` and `down` do beside starting and stopping the server."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from typing import Any

from cabestan.adapters.builders import Builders
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images import ImageCatalogue
from cabestan.bootstrap import open_store, open_vault
from cabestan.cli import client_config
from cabestan.cli.progress import Progress
from cabestan.config import Settings
from cabestan.engine import base_images
from cabestan.engine.cluster import cluster_at, local_target
from cabestan.engine.registry_login import registry_login
from cabestan.engine.upkeep import platform
from cabestan.engine.upkeep.purge import purge
from cabestan.errors import CabestanError
from cabestan.store import facts, pipelines
from cabestan.store.database import Database

_SWARM = "made the Swarm"


def prepare(settings: Settings) -> None:
    """Swarm, base images, registry, router, database, administrator; does what is missing."""
    engine, progress = Engine(settings.engine), Progress()
    with progress.step("Checking the engine and its Swarm"):
        made_swarm = platform.ensure_swarm(engine)
    with progress.step("Preparing the base images"):
        built = platform.build_images(settings, engine, progress.report)
    with ExitStack() as opened:
        with progress.step("Preparing the database"):
            database = opened.enter_context(open_store(settings))
            vault = open_vault(settings, database)
            base_images.remember(database, built)
            if made_swarm:
                _remember_swarm(database)
        with progress.step("Starting registry and router"):
            home = cluster_at(local_target(settings), settings, registry_login(settings, vault))
            platform.start_containers(settings, vault, home)
            platform.rejoin_router(settings, database, home)
        token = platform.ensure_administrator(database, known=_known_token(settings))
    if token:
        _keep_login(settings, token)


def base_image_entries(settings: Settings) -> list[dict[str, Any]]:
    """What the engine has of each base image, in plain data."""
    images = ImageCatalogue(Engine(settings.engine), settings.images, settings.ca_bundle)
    return [asdict(entry) for entry in images.entries()]


def build_base_images(settings: Settings, names: Sequence[str] | None) -> tuple[str, ...]:
    """Builds what is lacking of these (None: of all); gives the references of what it built."""
    progress = Progress()
    images = ImageCatalogue(Engine(settings.engine), settings.images, settings.ca_bundle)
    with progress.step("Building base images"):
        built = images.ensure(names, progress.report)
    with open_store(settings) as database:
        base_images.remember(database, built)
    return built


def stop_builders(settings: Settings) -> None:
    """Those that build nothing: nobody would stop them while the server is away. An engine that is away is told."""
    try:
        stopped, busy = _stop_idle(settings, Builders(Engine(settings.engine), settings.instance))
    except CabestanError as error:
        print(f"Builders may still run: {error.message}", file=sys.stderr)
        return
    if stopped:
        print(f"Stopped {_many(stopped)}; what builders keep for the next build stays.")
    if busy:
        print(f"Left {_many(busy)} with a build under way, which `cabestan up` takes up again.")


def _stop_idle(settings: Settings, builders: Builders) -> tuple[int, int]:
    """How many were stopped, and how many are in use."""
    running = builders.running()
    if not running:
        builders.close_gate()
        return 0, 0
    with open_store(settings) as database, database.reading() as tx:
        busy = pipelines.building(tx).keys() & set(running)
    for key in running:
        if key not in busy:
            builders.stop(key, settings.builder_disk_bytes)
    if not busy:
        builders.close_gate()
    return len(running) - len(busy), len(busy)


def _many(builders: int) -> str:
    return f"{builders} builder{'' if builders == 1 else 's'}"


def take_away(settings: Settings) -> None:
    """Everything that was made, but the data folder."""
    with open_store(settings) as database:
        built = base_images.remembered(database)
        with database.reading() as tx:
            swarm = facts.get(tx, _SWARM) is not None
    for removed in purge(settings, Engine(settings.engine), base_images=built, swarm=swarm):
        print(f"Removed {removed}.")


def _remember_swarm(database: Database) -> None:
    """It is of our making, so that a purge takes it too."""
    with database.writing() as tx:
        facts.put(tx, _SWARM, "yes")


def _known_token(settings: Settings) -> str:
    """The token that the client's configuration has for this server, if it has one."""
    with suppress(CabestanError):
        known = client_config.read()
        if known.url == settings.public_url:
            return known.token
    return ""


def _keep_login(settings: Settings, token: str) -> None:
    """Writes the client's configuration, unless that is for another server."""
    with suppress(CabestanError):
        present = client_config.read()
        if present.url != settings.public_url:
            print(f"{client_config.path()} is for {present.url} and stays as it is.", file=sys.stderr)
            print(f"For this server: `cabestan login {settings.public_url}`, with the token {token}", file=sys.stderr)
            return
    print(f"The login of {platform.ADMINISTRATOR} is in {client_config.write(settings.public_url, token)}")
