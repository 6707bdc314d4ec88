"""What the services said that run once in a deployment, such as migrations."""

import time
from collections.abc import Iterator

from cabestan.cli import follow as logs
from cabestan.cli.api import Api, Thing, address
from cabestan.cli.output import tell
from cabestan.cli.waiting import ENDED

_POLL_SECONDS = 0.3


def write(api: Api, deployment: int, service: str | None, *, live: bool) -> str:
    """To stdout, one log after the other, of one service or of all; with `live` until the deployment runs no more.

    Gives a word on the first that did not end well, which only `live` tells; empty where all did.
    """
    told = 0
    for run in _runs(api, deployment, service, live=live):
        told += 1
        if service is None:
            tell(f"{run['service']}:")
        status = logs.show(api, int(run["id"]), "runs", from_line=1, live=live)
        if live and not logs.ended_well(status):
            return f"{run['service']} {status}."
    if not told:
        tell(f"Deployment {deployment} did not run {service or 'anything that ends'}.")
    return ""


def _runs(api: Api, deployment: int, service: str | None, *, live: bool) -> Iterator[Thing]:
    """As they begin, each once."""
    seen: set[int] = set()
    while True:
        found = api.get(address("deployments", deployment))
        for run in found.get("runs") or []:
            if int(run["id"]) not in seen and service in (None, run["service"]):
                seen.add(int(run["id"]))
                yield run
        if not live or found["status"] in ENDED or (service and seen):
            return
        time.sleep(_POLL_SECONDS)
