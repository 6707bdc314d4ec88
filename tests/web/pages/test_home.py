from datetime import UTC, datetime

import pytest
from tests.web.pages.samples import deployment, environment, project, rendered

from cabestan.domain.alert import Alert
from cabestan.domain.deployment import Deployment
from cabestan.domain.status import DeploymentStatus
from cabestan.web.pages.alerts import alert_href, alert_title
from cabestan.web.pages.listing import FILTERS, SORTS, Row, Wish, groups, rows
from cabestan.web.pages.overview import cell

STAGING = environment(1, "staging", current_deployment_id=1)


def _pending(*deployments: Deployment) -> list[str]:
    """What is shown beside what serves."""
    return [d.status for d in cell(STAGING, [deployment(1), *deployments], None).pending]


def _page(*shown: Row) -> str:
    titles, facts = {1: "Greet by name"}, {"most_needs": 12, "most_alerts": 6, "filters": FILTERS, "sorts": SORTS}
    values = {"projects": len(shown), "waiting": 0, "can_filter": True, "wish": Wish(), "detailed": True}
    return rendered("home.html", groups=groups(shown, few=True), titles=titles, alerts=(), needs=(), **facts | values)


def test_what_waits_says_for_whom() -> None:
    ours = environment(1, approvers=("anna", "bert"), current_deployment_id=1)
    page = _page(*rows([project()], (ours,), [deployment(1), deployment(2, DeploymentStatus.WAITING)]))
    assert '<a href="/demo/hello/deployments/2">release 2</a><span>for anna or bert</span>' in page


def test_what_serves_says_since_when_and_by_whom() -> None:
    page = _page(*rows([project()], (STAGING,), [deployment(1)]))
    for words in ("Greet by name", "release 1", ">3 min ago</time> by anna", 'title="0123456789abcdef', ">01234567<"):
        assert words in page


def test_a_failure_is_shown_until_something_newer_ends_well() -> None:
    assert _pending(deployment(2, DeploymentStatus.ROLLED_BACK)) == ["rolled_back"]
    assert _pending(deployment(2, DeploymentStatus.SUPERSEDED)) == []
    assert _pending(deployment(2, DeploymentStatus.FAILED), deployment(3)) == []


def test_what_runs_hides_an_older_failure() -> None:
    assert _pending(deployment(2, DeploymentStatus.FAILED), deployment(3, DeploymentStatus.RUNNING)) == ["running"]


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
