"""A plan as pages show it: its steps, as planned and as they went, and the difference that it makes."""

import re
from dataclasses import dataclass

from cabestan.domain.deployment import Plan, PlannedChange, Step, StepRun

_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
#: the last word of a change's kind, its sign and its tone
_SIGNS = {"added": ("+", "good"), "removed": ("-", "bad"), "used": ("-", "bad")}


@dataclass(frozen=True)
class ShownStep:
    """`run` is None before it was begun; `deadline` is empty for what was not planned."""

    text: str
    status: str
    deadline: str
    run: StepRun | None = None


def steps(plan: Plan | None, runs: tuple[StepRun, ...], *, ended: bool) -> tuple[ShownStep, ...]:
    """The planned steps with how they went; what ran beside the plan (putting back) comes where it ran."""
    done = {run.position: run for run in runs}
    planned = dict(enumerate(plan.steps)) if plan else {}
    return tuple(_step(planned.get(at), done.get(at), ended=ended) for at in sorted({*done, *planned}))


def _step(step: Step | None, run: StepRun | None, *, ended: bool) -> ShownStep:
    text = run.text if run else step.text if step else ""
    status = run.status if run else "not done" if ended else "to do"
    deadline = f"at most {_deadline(step.deadline_seconds)}" if step else ""
    return ShownStep(short_digests(text), status, deadline, run)


def short_digests(text: str) -> str:
    """The first twelve digits tell an image from another; the stack has all of them."""
    return _DIGEST.sub(r"\1", text)


def sign(change: PlannedChange) -> tuple[str, str]:
    """`+`, `-` or `~`, and its tone; the change's words say what that does."""
    return _SIGNS.get(change.kind.rpartition(" ")[2], ("~", "busy"))


def _deadline(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
