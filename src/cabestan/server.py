"""The server's process: `cabestan serve`."""

import fcntl
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import NoReturn

if __name__ == "__main__":
    # Libraries load these where they find them, and the server has no use for them: colours (structlog, httpx), guesses
    # at the encoding of answers, which are UTF-8 (requests). Without them it takes six megabytes less.
    warnings.filterwarnings("ignore", "Unable to find acceptable character detection")
    for _name in ("rich", "pygments", "charset_normalizer"):
        sys.modules[_name] = None  # type: ignore[assignment]

import structlog
import uvicorn

from cabestan.adapters.masked_output import mask_output
from cabestan.bootstrap import bootstrap
from cabestan.config import Settings, read_settings
from cabestan.domain.known_secrets import KnownSecrets
from cabestan.domain.target import Target
from cabestan.errors import CabestanError, ConfigurationError
from cabestan.web.app import create_app
from cabestan.web.front import listening
from cabestan.web.front.bounds import Bounds

#: How long open streams may take to end when the server is asked to stop.
_GRACE_SECONDS = 3


def serve(
    settings: Settings, *, checkpoint: Callable[[str], None] = lambda _name: None, targets: Iterable[Target] = ()
) -> NoReturn:
    """Runs until SIGTERM or SIGINT. Work in flight goes on at the next start. As `bootstrap` otherwise."""
    known = KnownSecrets()
    mask_output(known)
    set_up_logging(settings.log_level)
    _lock_data(settings)
    bounds = listening.fitting(_bounds(settings), listening.raise_descriptor_limit())
    cabestan = bootstrap(settings, checkpoint=checkpoint, known=known, targets=targets)
    app = create_app(cabestan.services, on_start=cabestan.start, on_stop=cabestan.close, bounds=bounds)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        **listening.options(bounds),
    )
    # threads that follow a job would hold the process until the job ends; the next start goes on with them
    logging.shutdown()
    os._exit(0)


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        connections=settings.connections,
        connections_per_address=settings.connections_per_address,
        streams_per_user=settings.streams_per_user,
    )


def _lock_data(settings: Settings) -> None:
    """One server per data folder: a second one would go on with the same work. The lock ends with the process."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(settings.data / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigurationError(
            f"A server runs on the data folder {settings.data} already.", "Stop it first: `cabestan down`."
        ) from error


def set_up_logging(level: str) -> None:
    """Tracebacks are plain: the default ones show the values of variables, secrets among them."""
    chosen = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )


def main() -> None:
    """What is wrong with settings, key or database is told in its own words, without a traceback."""
    try:
        serve(read_settings())
    except CabestanError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
