"""How a container ended, and what that means for what it was run for."""

from dataclasses import dataclass

from cabestan.domain.status import RunStatus


@dataclass(frozen=True)
class Exit:
    """How a job's container ended. `code` is None when it never started; `error` is the engine's own word."""

    code: int | None
    out_of_memory: bool = False
    error: str = ""
    #: our own doing, and why: canceled, timed out
    ended_by_us: str = ""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a job after its container ended."""

    status: RunStatus
    reason: str = ""
    #: the container was taken away from outside (the engine stopped): run the job again
    again: bool = False
    #: of the log, where what failed says why; 0 where that is not told
    line: int = 0


#: A container that ends so was ended from outside: 128 + SIGKILL, 128 + SIGTERM, and the engine's own for "lost".
_FROM_OUTSIDE = frozenset({137, 143, 255})
#: How often a job is run when its container is taken away from outside.
ATTEMPTS = 3


_HINTS = {
    126: "It is no program that can be run: has it the right to be executed?",
    127: "A command was not found: is it installed in this image?",
    137: "It was killed: mostly because it used more memory than there is.",
}


def exit_hint(code: int) -> str:
    """What shells and kernels mean by an exit code; empty for those of programs."""
    return _HINTS.get(code, "")


def judge_exit(exit: Exit, attempt: int) -> Verdict:
    """What an ended container means for its job."""
    if verdict := _as_wanted(exit):
        return verdict
    if exit.out_of_memory:
        return Verdict(
            RunStatus.FAILED,
            "Out of memory: the container used more than it may. Raise its limit or use less.",
        )
    if exit.code in _FROM_OUTSIDE:
        if attempt < ATTEMPTS:
            return Verdict(
                RunStatus.RUNNING,
                f"The container was ended from outside (exit code {exit.code}).",
                again=True,
            )
        return Verdict(
            RunStatus.FAILED, f"The container was ended from outside {attempt} times (exit code {exit.code})."
        )
    if exit.code is None:
        return Verdict(RunStatus.FAILED, f"The container did not start: {exit.error or 'the engine gives no reason'}.")
    return Verdict(RunStatus.FAILED, f"Exit code {exit.code}.")


def judge_run(exit: Exit) -> Verdict:
    """What an ended container means. Never `again`: what ran half may not be run twice unasked."""
    if verdict := _as_wanted(exit):
        return verdict
    if exit.code is None:
        return Verdict(RunStatus.FAILED, f"The container did not start: {exit.error or 'the engine gives no reason'}.")
    if exit.out_of_memory:
        return Verdict(RunStatus.FAILED, "Out of memory: raise deploy.resources.limits.memory, or use less.")
    if exit.code in _FROM_OUTSIDE:
        return Verdict(RunStatus.FAILED, f"The container was ended from outside (exit code {exit.code}).")
    return Verdict(RunStatus.FAILED, f"Exit code {exit.code}.")


def _as_wanted(exit: Exit) -> Verdict | None:
    """It did what it was for, or we ended it; None where it failed."""
    if exit.ended_by_us == "canceled":
        return Verdict(RunStatus.CANCELED, "Canceled.")
    if exit.ended_by_us:
        return Verdict(RunStatus.FAILED, exit.ended_by_us)
    if exit.code == 0:
        return Verdict(RunStatus.SUCCEEDED)
    return None
