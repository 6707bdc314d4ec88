"""How a command that set a deployment off ends: waiting, and printing what became of it."""

from cabestan.cli.api import Api, Thing
from cabestan.cli.output import Column, field, print_json, print_thing, run_time, since, status, tell
from cabestan.cli.reasons import print_reason
from cabestan.cli.waiting import check_succeeded, wait_until_ended

FIELDS: tuple[Column, ...] = (
    field("id", "deployment"),
    field("project"),
    field("environment"),
    field("what"),
    field("release"),
    field("commit"),
    status(),
    field("by"),
    field("approved_by"),
    since("created_at"),
    run_time(),
    field("url", "address"),
)


def finish(api: Api, deployment: Thing, *, wait: bool, through_approval: bool, as_json: bool) -> None:
    """Waits, prints what became of it, and raises where it ended badly.

    Without `through_approval`, waiting stops where a person must decide.
    """
    if wait:
        quiet = (lambda _: None) if as_json else tell
        deployment = wait_until_ended(api, deployment, quiet, through_approval=through_approval)
    if as_json:
        print_json(deployment)
    else:
        print_reason(deployment)
        print_thing(deployment, FIELDS)
        _tell_next(deployment)
    check_succeeded(deployment)


def _tell_next(deployment: Thing) -> None:
    if deployment["status"] == "waiting":
        tell(f"It waits for an approval: cabestan deployment approve {deployment['id']}")
