import pytest
from tests.samples import deployment, environment

from cabestan.domain.deployment import Arrival, Deployment, Step, StepKind, decide_arrival, next_to_run
from cabestan.domain.environment import Trigger
from cabestan.domain.status import DeploymentStatus

WAITING, QUEUED, RUNNING = DeploymentStatus.WAITING, DeploymentStatus.QUEUED, DeploymentStatus.RUNNING
AUTOMATIC, MANUAL = Trigger.AUTOMATIC, Trigger.MANUAL


@pytest.mark.parametrize(
    ("trigger", "decided", "present", "arrival"),
    [
        (AUTOMATIC, False, (), Arrival(QUEUED, ())),
        (MANUAL, False, (), Arrival(WAITING, ())),
        (MANUAL, True, (), Arrival(QUEUED, ())),
        (AUTOMATIC, True, (), Arrival(QUEUED, ())),
        # release 5 arrives where an older, the same, or a newer one stands
        (MANUAL, False, (deployment(1, 4, WAITING),), Arrival(WAITING, (1,))),
        (MANUAL, False, (deployment(1, 5, WAITING),), Arrival(WAITING, (1,))),
        (MANUAL, False, (deployment(1, 6, WAITING),), Arrival(WAITING, ())),
        (AUTOMATIC, False, (deployment(1, 4, QUEUED), deployment(2, 3, QUEUED)), Arrival(QUEUED, (1, 2))),
        # a person's wish for an older one counts
        (MANUAL, True, (deployment(1, 6, WAITING), deployment(2, 7, QUEUED)), Arrival(QUEUED, (1, 2))),
        # what runs finishes
        (AUTOMATIC, False, (deployment(1, 4, RUNNING),), Arrival(QUEUED, ())),
        (AUTOMATIC, True, (deployment(1, 4, RUNNING), deployment(2, 4, QUEUED)), Arrival(QUEUED, (2,))),
    ],
)
def test_the_newest_release_takes_the_place_of_those_that_wait(
    trigger: Trigger, decided: bool, present: tuple[Deployment, ...], arrival: Arrival
) -> None:
    assert decide_arrival(environment(trigger=trigger), 5, present, decided=decided) == arrival


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        ((), None),
        ((deployment(1, 1, WAITING),), None),
        ((deployment(1, 1, QUEUED),), 1),
        ((deployment(1, 1, QUEUED), deployment(2, 1, QUEUED)), 2),
        ((deployment(1, 1, QUEUED), deployment(2, 1, RUNNING)), None),
        ((deployment(1, 1, QUEUED), deployment(2, 1, WAITING)), 1),
    ],
)
def test_one_runs_at_a_time_and_the_newest_is_next(present: tuple[Deployment, ...], chosen: int | None) -> None:
    found = next_to_run(present)
    assert (found.id if found else None) == chosen


def test_a_step_reads_as_a_sentence() -> None:
    assert [Step(kind, ("a", "b"), 1).text for kind in StepKind] == [
        "Pull a, b",
        "Start managed services: a, b",
        "Start first, for others need it: a, b",
        "Run a, b",
        "Apply the stack: a, b",
        "Watch until healthy: a, b",
        "Check through the router: a, b",
        "Restart, one container after the other: a, b",
        "Set the number of replicas: a, b",
        "Stop: a, b",
        "Put the previous release back: a, b",
    ]
    assert Step(StepKind.PULL, (), 1).text == "Pull nothing"
