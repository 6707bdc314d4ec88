from itertools import permutations

import pytest

from cabestan.domain.status import DeploymentStatus, RunStatus, merge_status

CREATED, RUNNING, SUCCEEDED = RunStatus.CREATED, RunStatus.RUNNING, RunStatus.SUCCEEDED
FAILED, CANCELED, SKIPPED = RunStatus.FAILED, RunStatus.CANCELED, RunStatus.SKIPPED


@pytest.mark.parametrize(
    ("statuses", "merged"),
    [
        ((), CREATED),
        ((CREATED,), CREATED),
        ((CREATED, CREATED), CREATED),
        ((RUNNING,), RUNNING),
        ((SUCCEEDED,), SUCCEEDED),
        ((FAILED,), FAILED),
        ((CANCELED,), CANCELED),
        ((SKIPPED,), SKIPPED),
        ((CREATED, RUNNING), RUNNING),
        ((CREATED, SUCCEEDED), RUNNING),
        ((CREATED, FAILED), RUNNING),
        ((CREATED, CANCELED), RUNNING),
        ((CREATED, SKIPPED), RUNNING),
        ((RUNNING, SUCCEEDED), RUNNING),
        ((RUNNING, FAILED), RUNNING),
        ((SUCCEEDED, FAILED), FAILED),
        ((SUCCEEDED, CANCELED), CANCELED),
        ((SUCCEEDED, SKIPPED), SUCCEEDED),
        ((FAILED, SKIPPED), FAILED),
        ((FAILED, CANCELED), FAILED),
        ((CANCELED, SKIPPED), CANCELED),
        ((SUCCEEDED, FAILED, CANCELED, SKIPPED), FAILED),
    ],
)
def test_the_statuses_of_jobs_make_up_one(statuses: tuple[RunStatus, ...], merged: RunStatus) -> None:
    for order in permutations(statuses):
        assert merge_status(order) is merged
    assert merge_status(statuses + statuses) is merged


def test_what_has_ended_stays_as_it_is() -> None:
    assert [status for status in RunStatus if status.ended] == [SUCCEEDED, FAILED, CANCELED, SKIPPED]
    assert [status.value for status in DeploymentStatus if status.ended] == [
        "succeeded",
        "failed",
        "rolled_back",
        "superseded",
        "canceled",
    ]
