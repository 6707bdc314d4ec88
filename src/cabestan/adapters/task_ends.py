"""How the one task of something that runs once ended, where its container does not tell."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cabestan.adapters.passing_faults import restarts
from cabestan.domain.outcome import Exit

#: the exit code of a container that was there and was taken away, as the engine itself gives it
LOST = 255
#: how a task stands that will have no container (any more)
_ENDED = ("rejected", "failed", "orphaned", "remove", "shutdown")
#: what Swarm says of a container that ran, and may be gone by now
_RAN = re.compile(r"non-zero exit \(([0-9]+)\)")


def parse_never_started(task: Mapping[str, Any], there: Collection[str]) -> Exit | None:
    """Why a task will have no container any more, in the engine's own words; None where it may.

    Its code is None where none was ever started, and `LOST` where one was made that is not `there` (the ids of all that
    the engine has).
    """
    status = task["Status"]
    if status["State"] not in _ENDED:
        return None
    words = status.get("Err") or status.get("Message") or status["State"]
    if ran := _RAN.search(words):
        return Exit(int(ran[1]), error=words)
    made = (status.get("ContainerStatus") or {}).get("ContainerID")
    return Exit(LOST if made and made not in there else None, error=words)


def parse_end(tasks: Sequence[Mapping[str, Any]], there: Collection[str]) -> Exit | None:
    """The end of a service without a started container: of a task whose container was, or of all that never were.

    None while a task may still have one: Swarm begins a job anew by itself when it comes back.
    """
    ends = [parse_never_started(task, there) for task in tasks]
    ran = next((end for end in ends if end and end.code is not None), None)
    return ran or (None if None in ends else next(iter(ends), None))


def parse_former_end(tasks: Sequence[Mapping[str, Any]], container: str, there: Collection[str]) -> Exit | None:
    """How another container than this one ended that was the first of the job; None where this is the first.

    It is the first, too, where an earlier one was never started, for its engine died meanwhile.
    """
    wanted = max((restarts(task["Spec"]) for task in tasks), default=0)
    alike = sorted((t for t in tasks if restarts(t["Spec"]) == wanted), key=lambda task: str(task["CreatedAt"]))
    if len(alike) < 2 or (alike[0]["Status"].get("ContainerStatus") or {}).get("ContainerID") == container:
        return None
    former = parse_never_started(alike[0], there)
    return former if former and former.code is not None else None
