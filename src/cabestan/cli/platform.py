"""The commands of the platform itself: `up`, `down`, `serve`, `status`, `doctor`. They work on this machine."""

import json
import shutil
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

from cabestan import __version__
from cabestan.cli import client_config
from cabestan.cli.cells import clean
from cabestan.errors import CabestanError

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def up() -> None:
    """Prepare this machine (Swarm, base images, registry, router, administrator) and start the server."""
    from cabestan.cli import process
    from cabestan.cli.preparing import prepare
    from cabestan.config import read_settings

    settings = read_settings()
    prepare(settings)
    started = process.start(settings)
    print(f"The server {'runs' if started else 'was running already'} at {settings.public_url}")


def down(
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove everything that it made, applications and data too.")
    ] = False,
) -> None:
    """Stop the server and idle builders. What is deployed keeps serving; `cabestan up` goes on."""
    from cabestan.cli import process
    from cabestan.cli.preparing import stop_builders, take_away
    from cabestan.config import read_settings

    settings = read_settings()
    print("The server is stopped." if process.stop(settings) else "The server was not running.")
    if not purge:
        stop_builders(settings)
        print("Router, registry and all that is deployed go on.")
        return
    take_away(settings)
    with suppress(CabestanError):
        if client_config.read().url == settings.public_url:
            client_config.path().unlink(missing_ok=True)
    shutil.rmtree(settings.data, ignore_errors=True)
    print(f"Removed {settings.data}.")


def serve() -> None:
    """Run the server in the foreground, until SIGTERM or Ctrl-C."""
    from cabestan.cli import process
    from cabestan.config import read_settings

    process.become_server(read_settings())


def status(as_json: Json = False) -> None:
    """Tell whether the server runs, where, and how many alerts are open."""
    from cabestan.cli import process
    from cabestan.config import read_settings
    from cabestan.engine.upkeep.doctor import open_alerts

    settings = read_settings()
    running = process.answers(settings)
    alerts = len(open_alerts(settings)) if running else None
    told: dict[str, Any] = {
        "running": running,
        "pid": process.pid_of(settings),
        "version": __version__,
        "url": settings.public_url,
        "instance": settings.instance,
        "alerts": alerts,
    }
    if as_json:
        print(json.dumps(told))
    else:
        print(f"Cabestan {__version__} {'runs' if running else 'does not run'} at {settings.public_url}")
        if alerts:
            print(f"Open alerts: {alerts}. `cabestan alert list` shows them.")
    if not running:
        sys.exit(1)


def doctor(as_json: Json = False) -> None:
    """Check everything that Cabestan needs; each finding has its remedy. Exit code 1 where something is wrong."""
    from cabestan.config import read_settings
    from cabestan.engine.upkeep.doctor import Health, examine

    findings = examine(read_settings())
    if as_json:
        print(
            json.dumps([{"check": f.check, "health": f.health, "text": f.text, "remedy": f.remedy} for f in findings])
        )
    else:
        for finding in findings:
            print(f"{_MARKS[finding.health]} {finding.check:<9} {clean(finding.text)}")
            if finding.remedy:
                print(f"            {clean(finding.remedy)}")
    if any(finding.health is Health.ERROR for finding in findings):
        sys.exit(1)


_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}
