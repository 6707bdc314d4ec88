"""Nothing stays “running” for ever: a workflow that breaks ends its work as failed."""

from collections.abc import Callable

import structlog

from cabestan.domain.pipeline import BROKE
from cabestan.engine.services import Services
from cabestan.store.fullness import is_full

_log = structlog.get_logger(__name__)


def guarded(services: Services, work: Callable[..., None], failed: Callable[..., None]) -> Callable[..., None]:
    """The workflow `work`; when it breaks with an error of ours, `failed` is called with its arguments and the reason.

    While the process is closing, errors are those of a torn-down engine: the next start goes on with the work. What
    meets a full disk goes on when there is room.
    """

    def run(*arguments: int) -> None:
        try:
            work(*arguments)
        except Exception as error:
            if services.durable.closing or is_full(error):
                raise
            _log.exception("a workflow broke", arguments=arguments)
            what = services.vault.known.mask(f"{type(error).__name__}: {error}")
            failed(*arguments, f"{BROKE} ({what}). Retry it.")

    return run
