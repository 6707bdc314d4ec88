"""Run as a program: prepares the installation that the settings name, and prints its administrator's token.

With `--containers` the base images, the registry and the router too.
"""

import sys

from cabestan.adapters.images import BuildEvent
from cabestan.bootstrap import bootstrap
from cabestan.config import read_settings
from cabestan.engine import platform


def main(containers: bool) -> None:
    settings = read_settings()
    cabestan = bootstrap(settings)
    engine = cabestan.services.engine
    if containers:
        platform.ensure_swarm(engine)
        platform.build_images(settings, engine, _report)
        platform.start_containers(settings, engine)
    token = platform.ensure_administrator(cabestan.services.database)
    cabestan.close()
    print(token)


def _report(event: BuildEvent) -> None:
    print(event, file=sys.stderr)


if __name__ == "__main__":
    main("--containers" in sys.argv[1:])
