"""For tests: a server that kills itself between two steps, and a platform prepared in one call.

python -m cabestan.testing prepare
python -m cabestan.testing serve --kills FOLDER [--kill-at job.start:after]...

Both take `--target JSON`, the fields of a Target beside the one on this machine.
"""

import argparse
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbos._dbos import _get_or_create_dbos_registry

from cabestan.adapters.engine_api import Engine
from cabestan.bootstrap import bootstrap
from cabestan.config import read_settings
from cabestan.domain.target import Target
from cabestan.engine.upkeep import platform
from cabestan.server import serve

#: every step of every workflow, by its name in the code
STEPS = (
    "pipeline.plan",
    "pipeline.advance",
    "lint.begin",
    "lint.check",
    "lint.log",
    "lint.record",
    "lint.advance",
    "job.begin",
    "job.start",
    "job.follow",
    "job.clean",
    "job.record",
    "job.advance",
    "release.make",
    "release.fail",
    "release.arrive",
    "release.go-on",
    "deployment.begin",
    "deployment.pull",
    "deployment.start",
    "deployment.run",
    "deployment.managed",
    "deployment.apply",
    "deployment.watch",
    "deployment.routes",
    "deployment.restart",
    "deployment.scale",
    "deployment.stop",
    "deployment.put-back",
    "deployment.record",
    "deployment.go-on",
    "cron.run",
    "cron.end",
    "deletion.wait",
    "deletion.stop",
    "deletion.save",
    "deletion.take-away",
    "deletion.forget",
    "deletion.images",
    "deletion.forget-project",
    "deletion.record",
    "database.save",
    "database.verify",
    "database.copy",
    "database.load",
    "database.switch",
    "database.take-back",
    "database.remove",
    "database.tidy",
    "database.record",
)


@dataclass(frozen=True)
class KillAt:
    """A checkpoint for `bootstrap`: SIGKILL to this process the first time that it comes to each of the boundaries.

    A boundary is `<step>:before` or `<step>:after`. A file in `folder` tells which ones have had their kill,
    so that the restarted process passes them.
    """

    boundaries: frozenset[str]
    folder: Path

    def __call__(self, boundary: str) -> None:
        if boundary in self.boundaries and _first_time(self.folder / boundary):
            os.kill(os.getpid(), signal.SIGKILL)


def _first_time(marker: Path) -> bool:
    with suppress(FileExistsError):
        marker.touch(exist_ok=False)
        return True
    return False


def prepare(targets: Sequence[Target]) -> str | None:
    """Swarm, base images, routers, registry and administrator, as the settings have them; the administrator's token."""
    settings = read_settings()
    engine = Engine(settings.engine)
    platform.ensure_swarm(engine)
    platform.build_images(settings, engine, lambda _event: None)
    cabestan = bootstrap(settings, targets=targets)
    platform.start_containers(settings, cabestan.services.vault, cabestan.services.home)
    for cluster in (cabestan.services.clusters[target.name] for target in targets):
        platform.ensure_swarm(cluster.engine)
        platform.start_router(settings, cabestan.services.vault, cluster)
    token = platform.ensure_administrator(cabestan.services.database)
    cabestan.close()
    return token


def hurry_recovery() -> None:
    """Work in flight is found ten times a second, not once: a test restarts the server dozens of times."""
    _get_or_create_dbos_registry().get_internal_queue()._polling_interval_sec = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["prepare", "serve"])
    parser.add_argument("--kill-at", action="append", default=[], help="a boundary, such as job.start:after")
    parser.add_argument("--kills", type=Path, help="the folder that remembers which kills were done")
    parser.add_argument("--target", action="append", default=[], type=Target.parsed)
    wish = parser.parse_args()
    if wish.command == "prepare":
        print(json.dumps({"token": prepare(wish.target)}))
        return
    hurry_recovery()
    if wish.kill_at:
        serve(read_settings(), checkpoint=KillAt(frozenset(wish.kill_at), wish.kills), targets=wish.target)
    else:
        serve(read_settings(), targets=wish.target)


if __name__ == "__main__":
    main()
