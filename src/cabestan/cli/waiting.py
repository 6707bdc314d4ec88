"""Waiting for a deployment to end, telling each step as it ends."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from cabestan.cli.api import Api, Thing, address
from cabestan.cli.cells import one_line, status_words, took
from cabestan.cli.failures import Unreachable, Unsuccessful
from cabestan.domain.why import headline

#: of deployments
ENDED = frozenset({"succeeded", "failed", "rolled_back", "superseded", "canceled"})
#: not begun yet, or still at it
_STEP_OPEN = frozenset({"", "created", "pending", "waiting", "queued", "running"})

_POLL_SECONDS = 0.3
#: how long a server may be away, restarting for example, before waiting gives up
_AWAY_SECONDS = 60.0


def wait_until_ended(
    api: Api, deployment: Thing, tell: Callable[[str], None], *, through_approval: bool = True
) -> Thing:
    """The deployment when it has ended, or, without `through_approval`, when it waits for a person.

    Raises Unreachable when no server answered for a minute.
    """
    told, seen = 0, ""
    while True:
        told = _tell_steps(deployment, told, tell)
        seen = _tell_seen(deployment, seen, tell)
        status = deployment["status"]
        if status in ENDED or (status == "waiting" and not through_approval):
            return deployment
        time.sleep(_POLL_SECONDS)
        deployment = _fetch(api, int(deployment["id"]))


def check_succeeded(deployment: Thing) -> None:
    """Raises Unsuccessful, with the reason, for one that ended otherwise."""
    status = deployment["status"]
    if status in ENDED and status != "succeeded":
        words = str(status).replace("_", " ")
        reason = headline(str(deployment.get("reason") or "")).rstrip(".")
        raise Unsuccessful(
            f"Deployment {deployment['id']} {words}" + (f": {reason}." if reason else "."),
            f"See: cabestan deployment show {deployment['id']}",
        )


def _fetch(api: Api, number: int) -> Thing:
    deadline = time.monotonic() + _AWAY_SECONDS
    while True:
        try:
            deployment: Thing = api.get(address("deployments", number))
        except Unreachable:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return deployment


def _tell_seen(deployment: Thing, seen: str, tell: Callable[[str], None]) -> str:
    """What the step that is being done has to say so far, where it is news."""
    running = (step for step in deployment.get("steps") or [] if step.get("status") == "running")
    detail = one_line(next((step.get("detail") for step in running), ""))
    if detail and detail != seen:
        tell(f"  {detail}")
    return detail


def _tell_steps(deployment: Thing, told: int, tell: Callable[[str], None]) -> int:
    """Steps end in order: tells those that have ended since, and counts them."""
    steps = deployment.get("steps") or []
    for step in steps[told:]:
        if str(step.get("status") or "") in _STEP_OPEN:
            break
        seconds = took(step.get("started_at"), step.get("finished_at"), datetime.now(UTC))
        tell(
            f"{status_words(str(step['status']))}  {one_line(step.get('text'))}" + (f"  ({seconds})" if seconds else "")
        )
        told += 1
    return told
