"""Every state as a colour, a shape and a word."""

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """`tone` names the colour (good, bad, busy, wait, quiet), `shape` the figure in `parts/state.html`."""

    word: str
    tone: str
    shape: str


#: of each status
STATES = {
    "created": State("created", "quiet", "ring"),
    "waiting": State("waiting", "wait", "pause"),
    "queued": State("queued", "quiet", "ring"),
    "running": State("running", "busy", "spin"),
    "succeeded": State("succeeded", "good", "check"),
    "failed": State("failed", "bad", "cross"),
    "rolled_back": State("rolled back", "bad", "back"),
    "superseded": State("superseded", "quiet", "up"),
    "canceled": State("canceled", "quiet", "slash"),
    "skipped": State("skipped", "quiet", "skip"),
    # of deployments' steps that have not begun
    "to do": State("to do", "quiet", "ring"),
    "not done": State("not done", "quiet", "skip"),
    # of environments and schedules
    "serving": State("serving", "good", "check"),
    "degraded": State("degraded", "wait", "pause"),
    "stopped": State("stopped", "quiet", "slash"),
    "empty": State("empty", "quiet", "dashed"),
    "paused": State("paused", "wait", "pause"),
    # of approvals
    "approved": State("approved", "good", "check"),
    "rejected": State("rejected", "bad", "cross"),
    "void": State("void", "quiet", "slash"),
    # of backups
    "unverified": State("not verified", "wait", "pause"),
    "verified": State("verified", "good", "check"),
    "expired": State("expired", "quiet", "skip"),
    # of managed services
    "healthy": State("healthy", "good", "check"),
    "starting": State("starting", "busy", "spin"),
    "down": State("down", "bad", "cross"),
    "unknown": State("unknown", "quiet", "dashed"),
}

#: words of what needs somebody, the worst first
NEEDING = ("down", "degraded", "failed", "rolled back", "waiting")
#: the words of all that a project's states may be, the worst first; what is not among them is no worse than the last
_QUIET = ("serving", "stopped", "canceled", "superseded", "empty")
_SEVERITY = (*NEEDING, "unknown", "running", "queued", "created", *_QUIET)
_PLACES = {word: place for place, word in enumerate(_SEVERITY)}

_TASKS = {
    "running": ("good", "check"),
    "complete": ("good", "check"),
    "failed": ("bad", "cross"),
    "rejected": ("bad", "cross"),
    "orphaned": ("bad", "cross"),
    "shutdown": ("quiet", "slash"),
    "remove": ("quiet", "slash"),
}


def state(status: str) -> State:
    """Of any status but a task's, which has other words."""
    return STATES.get(status) or State(status, "quiet", "ring")


def severity(of: State) -> int:
    """To sort by: the worst first."""
    return _PLACES.get(of.word, len(_SEVERITY))


def task_state(word: str) -> State:
    """Of a task, in Swarm's own word; those on the way to running are busy."""
    return State(word, *_TASKS.get(word, ("busy", "spin")))
