import pytest

from cabestan.domain.pipeline import TOOK_ITS_PLACE
from cabestan.domain.progress import DeploymentProgress, Outcome, Progress, outcome
from cabestan.domain.status import DeploymentStatus, RunStatus

D = DeploymentStatus


def progress(status: RunStatus, *deployments: tuple[str, DeploymentStatus], newer: int | None = None) -> Progress:
    made = tuple(DeploymentProgress(n, where, how) for n, (where, how) in enumerate(deployments, 1))
    return Progress(1, "main", "c0ffee", "http://x", status, newer_release=newer, deployments=made)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (RunStatus.CREATED, None),
        (RunStatus.RUNNING, None),
        (RunStatus.FAILED, Outcome.PIPELINE_FAILED),
        (RunStatus.CANCELED, Outcome.PIPELINE_FAILED),
        (RunStatus.SKIPPED, Outcome.NOT_DEPLOYED),
        (RunStatus.SUCCEEDED, Outcome.NOT_DEPLOYED),
    ],
)
def test_how_a_pipeline_without_deployments_ended(status: RunStatus, ended: Outcome | None) -> None:
    assert outcome(progress(status)) is ended


@pytest.mark.parametrize(
    ("deployments", "ended"),
    [
        ([D.QUEUED], None),
        ([D.SUCCEEDED, D.RUNNING], None),
        ([D.SUCCEEDED], Outcome.SERVING),
        ([D.WAITING], Outcome.WAITING),
        ([D.SUCCEEDED, D.WAITING], Outcome.SERVING),
        ([D.SUCCEEDED, D.SUPERSEDED], Outcome.SUPERSEDED),
        ([D.SUPERSEDED, D.ROLLED_BACK], Outcome.DEPLOYMENT_FAILED),
        ([D.FAILED, D.WAITING], Outcome.DEPLOYMENT_FAILED),
        ([D.CANCELED], Outcome.DEPLOYMENT_FAILED),
    ],
)
def test_what_a_person_must_decide_is_not_waited_for(deployments: list[D], ended: Outcome | None) -> None:
    of = [(f"e{number}", status) for number, status in enumerate(deployments)]
    assert outcome(progress(RunStatus.SUCCEEDED, *of)) is ended


def test_with_an_environment_what_became_of_it_there_counts() -> None:
    now = progress(RunStatus.SUCCEEDED, ("staging", D.SUCCEEDED), ("production", D.WAITING), ("qa", D.RUNNING))
    found = [outcome(now, name) for name in ("staging", "production", "qa", "other")]
    assert found == [Outcome.SERVING, Outcome.WAITING, None, Outcome.NOT_DEPLOYED]


def test_what_gave_way_to_a_newer_one_is_told_apart() -> None:
    assert outcome(progress(RunStatus.SUCCEEDED, newer=2)) is Outcome.SUPERSEDED
    canceled = Progress(1, "main", "c0ffee", "", RunStatus.CANCELED, f"Pipeline 2 {TOOK_ITS_PLACE}")
    assert outcome(canceled) is Outcome.SUPERSEDED
