"""Run as a program: prepares the installation that the settings name, and prints its administrator's token.

With `--containers` the base images, the registry and the router too.
"""

import sys

from cabestan.bootstrap import bootstrap
from cabestan.cli.progress import Progress
from cabestan.config import read_settings
from cabestan.engine.upkeep import platform


def main(containers: bool) -> None:
    settings = read_settings()
    cabestan = bootstrap(settings)
    engine = cabestan.services.home.engine
    if containers:
        progress = Progress()
        platform.ensure_swarm(engine)
        with progress.step("Preparing the base images"):
            platform.build_images(settings, engine, progress.report)
        with progress.step("Starting registry and router"):
            platform.start_containers(settings, cabestan.services.vault, cabestan.services.home)
    token = platform.ensure_administrator(cabestan.services.database)
    cabestan.close()
    print(token)


if __name__ == "__main__":
    main("--containers" in sys.argv[1:])
