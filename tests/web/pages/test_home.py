from datetime import UTC, datetime

import pytest
from tests.web.pages.samples import deployment, environment, project, rendered

from cabestan.domain.alert import Alert
from cabestan.domain.deployment import Deployment
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.alerts import alert_href, alert_title
from cabestan.web.pages.home import Matrix, home_matrix
from cabestan.web.pages.overview import Cell, cell

STAGING = environment(1, "staging", current_deployment_id=1)
PRODUCTION = environment(2, "production")


def _pending(*deployments: Deployment) -> list[str]:
    """What is shown beside what serves."""
    return [d.status for d in cell(STAGING, [deployment(1), *deployments], None).pending]


def test_each_environment_shows_what_serves() -> None:
    matrix = home_matrix([project()], (STAGING, PRODUCTION), [deployment(1)])
    cells = ((Cell(STAGING, deployment(1), (), None),), (Cell(PRODUCTION, None, (), None),))
    assert matrix == Matrix(("staging", "production"), {"demo/hello": cells}, 0)


def test_without_projects_the_matrix_is_empty() -> None:
    assert home_matrix([], (), []) == Matrix((), {}, 0)


def test_what_waits_says_for_whom() -> None:
    ours = environment(1, approvers=("anna", "bert"), current_deployment_id=1)
    matrix = home_matrix([project()], (ours,), [deployment(1), deployment(2, DeploymentStatus.WAITING)])
    assert matrix.waiting == 1
    page = rendered("home.html", matrix=matrix, titles={}, alerts=(), needs=(), pipelines={})
    assert '<a href="/demo/hello/deployments/2">release 2</a><span>for anna or bert</span>' in page


def test_what_serves_says_since_when_and_by_whom() -> None:
    matrix = home_matrix([project()], (STAGING,), [deployment(1)])
    page = rendered("home.html", matrix=matrix, titles={1: "Greet by name"}, alerts=(), needs=(), pipelines={})
    for words in ("Greet by name", "release 1", ">3 min ago</time> by anna", 'title="0123456789abcdef', ">01234567<"):
        assert words in page


def test_a_failure_is_shown_until_something_newer_ends_well() -> None:
    assert _pending(deployment(2, DeploymentStatus.ROLLED_BACK)) == ["rolled_back"]
    assert _pending(deployment(2, DeploymentStatus.SUPERSEDED)) == []
    assert _pending(deployment(2, DeploymentStatus.FAILED), deployment(3)) == []


def test_what_runs_hides_an_older_failure() -> None:
    assert _pending(deployment(2, DeploymentStatus.FAILED), deployment(3, DeploymentStatus.RUNNING)) == ["running"]


def test_columns_stand_in_the_order_in_which_releases_travel_and_families_share_one() -> None:
    environments = (
        environment(1, "production", position=2),
        environment(2, "staging", position=1),
        environment(3, "review/a", position=3),
        environment(4, "review/b", position=4),
    )
    matrix = home_matrix([project(), project(2, "shop/api")], environments, [])
    assert matrix.columns == ("staging", "production", "review/…")
    assert [[cell.environment.name for cell in cells] for cells in matrix.rows["demo/hello"]] == [
        ["staging"],
        ["production"],
        ["review/a", "review/b"],
    ]
    assert matrix.rows["shop/api"] == ((), (), ())


@pytest.mark.parametrize(
    ("kind", "subject", "project", "href"),
    [
        ("service", "ops/t staging", "ops/t", "/ops/t/environments/staging"),
        ("memory", "ops/t review/x web", "ops/t", "/ops/t/environments/review/x"),
        ("cron", "ops/t staging tick", "ops/t", "/ops/t/schedules?environment=staging"),
        ("backup-missed", "ops/t staging/mysql", "ops/t", "/ops/t/databases"),
        ("certificate", "www.example.org", "ops/t", "/ops/t/settings/certificates"),
        ("certificate", "www.example.org", "", "/certificates"),
        ("platform", "cabestan-router", "", ""),
        ("delivery", "mail x", "ops/t", "/ops/t"),
    ],
)
def test_an_alert_leads_to_what_it_is_about(kind: str, subject: str, project: str, href: str) -> None:
    when = datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert alert_href(Alert(1, kind, subject, "It failed.", "", project, when)) == href


def _title(kind: str, subject: str, project: str) -> str:
    return alert_title(Alert(1, kind, subject, "It failed.", "", project, datetime(2026, 5, 4, 12, tzinfo=UTC)))


def test_an_alert_says_what_happened_and_to_what_without_its_project_twice() -> None:
    assert _title("cron", "ops/ticker staging tick", "ops/ticker") == "Scheduled run failed: staging tick"
    assert _title("certificate", "www.example.org", "") == "Certificate: www.example.org"


def test_a_kind_without_words_of_its_own_speaks_for_itself() -> None:
    assert _title("weather", "of all", "") == "weather: of all"
