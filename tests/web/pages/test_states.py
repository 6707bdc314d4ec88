from cabestan.domain.backup import BackupStatus, OperationStatus
from cabestan.domain.status import DeploymentStatus, RunStatus
from cabestan.web.pages.states import STATES, State, state


def test_every_status_has_a_colour_and_a_shape() -> None:
    for status in (*RunStatus, *DeploymentStatus, *BackupStatus, *OperationStatus):
        assert status in STATES


def test_a_status_is_told_in_words() -> None:
    assert state(DeploymentStatus.ROLLED_BACK) == State("rolled back", "bad", "back")
    assert state(BackupStatus.UNVERIFIED) == State("not verified", "wait", "pause")
    assert state(RunStatus.RUNNING) == State("running", "busy", "spin")
