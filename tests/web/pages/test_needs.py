"""What needs somebody stands first, and only that."""

from datetime import UTC, datetime

from tests.web.pages.samples import deployment, environment

from cabestan.domain.observed import Condition, LastExit, Seen, SeenService
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.needs import needs
from cabestan.web.pages.overview import cell

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
STAGING = environment(1, "staging", current_deployment_id=1)
DOWN = SeenService("web", Condition.DOWN, 1, 0, 4, LastExit(NOW, 1))


def test_what_is_down_comes_before_what_failed_and_what_waits() -> None:
    cells = [
        cell(STAGING, [deployment(1), deployment(2, DeploymentStatus.WAITING)], None),
        cell(STAGING, [deployment(1), deployment(3, DeploymentStatus.FAILED)], Seen(Condition.SERVING, NOW)),
        cell(STAGING, [deployment(1)], Seen(Condition.DOWN, NOW, (DOWN,))),
    ]
    found = needs(cells, [])
    assert [need.state.word for need in found] == ["down", "failed", "waiting"]
    assert found[0].href == "/demo/hello/environments/staging"
    assert found[0].detail == "web is down: 0 of 1 run, restarted 4 × in 2 minutes, exit code 1."


def test_what_serves_needs_nobody() -> None:
    quiet = (Condition.SERVING, Condition.STOPPED)
    assert needs([cell(STAGING, [deployment(1)], Seen(condition, NOW)) for condition in quiet], []) == ()
