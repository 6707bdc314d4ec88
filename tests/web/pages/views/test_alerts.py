from datetime import UTC, datetime

from cabestan.domain.alert import Alert
from cabestan.web.pages.views.alerts import alert_rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _title(kind: str, subject: str, project: str) -> str:
    (row,) = alert_rows([Alert(1, kind, subject, "It failed.", "", project, NOW)], NOW)
    return row.title


def test_an_alert_says_what_happened_and_to_what_without_its_project_twice() -> None:
    assert _title("cron", "ops/ticker staging tick", "ops/ticker") == "Scheduled run failed: staging tick"
    assert _title("certificate", "www.example.org", "") == "Certificate: www.example.org"


def test_a_kind_without_words_of_its_own_speaks_for_itself() -> None:
    assert _title("weather", "of all", "") == "weather: of all"
