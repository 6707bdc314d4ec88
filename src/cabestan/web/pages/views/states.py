"""Every state as a colour, a shape and a word."""

from dataclasses import dataclass

from cabestan.domain.status import DeploymentStatus, RunStatus


@dataclass(frozen=True)
class State:
    """`tone` names the colour (good, bad, busy, wait, quiet), `shape` the figure in `parts/state.html`."""

    word: str
    tone: str
    shape: str


EMPTY = State("empty", "quiet", "dashed")
SERVING = State("serving", "good", "check")
TO_DO = State("to do", "quiet", "ring")
NOT_DONE = State("not done", "quiet", "skip")

_RUN = {
    RunStatus.CREATED: State("created", "quiet", "ring"),
    RunStatus.RUNNING: State("running", "busy", "spin"),
    RunStatus.SUCCEEDED: State("succeeded", "good", "check"),
    RunStatus.FAILED: State("failed", "bad", "cross"),
    RunStatus.CANCELED: State("canceled", "quiet", "slash"),
    RunStatus.SKIPPED: State("skipped", "quiet", "skip"),
}

_DEPLOYMENT = {
    DeploymentStatus.WAITING: State("waiting", "wait", "pause"),
    DeploymentStatus.QUEUED: State("queued", "quiet", "ring"),
    DeploymentStatus.RUNNING: State("running", "busy", "spin"),
    DeploymentStatus.SUCCEEDED: State("succeeded", "good", "check"),
    DeploymentStatus.FAILED: State("failed", "bad", "cross"),
    DeploymentStatus.ROLLED_BACK: State("rolled back", "bad", "back"),
    DeploymentStatus.SUPERSEDED: State("superseded", "quiet", "up"),
    DeploymentStatus.CANCELED: State("canceled", "quiet", "slash"),
}

_STEP = {
    "running": State("running", "busy", "spin"),
    "succeeded": State("succeeded", "good", "check"),
    "failed": State("failed", "bad", "cross"),
}

_TASK_TONES = {
    "running": ("good", "check"),
    "complete": ("good", "check"),
    "failed": ("bad", "cross"),
    "rejected": ("bad", "cross"),
    "orphaned": ("bad", "cross"),
    "shutdown": ("quiet", "slash"),
    "remove": ("quiet", "slash"),
}


def run_state(status: RunStatus) -> State:
    return _RUN[status]


def deployment_state(status: DeploymentStatus) -> State:
    return _DEPLOYMENT[status]


def step_state(status: str) -> State:
    """Of a deployment's step that has begun."""
    return _STEP.get(status, State(status, "quiet", "ring"))


def task_state(word: str) -> State:
    """Of a task, in Swarm's own word; those on the way to running are busy."""
    tone, shape = _TASK_TONES.get(word, ("busy", "spin"))
    return State(word, tone, shape)
