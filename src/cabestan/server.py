"""The server's process: `cabestan serve`."""

import logging
import sys
from collections.abc import Callable

import structlog
import uvicorn

from cabestan.bootstrap import bootstrap
from cabestan.config import Settings, read_settings
from cabestan.errors import CabestanError
from cabestan.web.app import create_app

#: How long open streams may take to end when the server is asked to stop.
_GRACE_SECONDS = 3


def serve(settings: Settings, *, checkpoint: Callable[[str], None] = lambda _name: None) -> None:
    """Runs until SIGTERM or SIGINT. Work in flight goes on at the next start."""
    _set_up_logging(settings.log_level)
    cabestan = bootstrap(settings, checkpoint=checkpoint)
    app = create_app(cabestan.services, on_start=cabestan.start, on_stop=cabestan.close)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
        proxy_headers=False,
    )


def _set_up_logging(level: str) -> None:
    chosen = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(chosen))


def main() -> None:
    """What is wrong with settings, key or database is told in its own words, without a traceback."""
    try:
        serve(read_settings())
    except CabestanError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
