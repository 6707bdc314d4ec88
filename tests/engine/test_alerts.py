"""Alerts: raised, renewed, cleared, and seen by those whom they concern."""

from tests.engine.world import World
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.engine.alerts import clear_alert, raise_alert
from cabestan.store import alerts


def test_an_alert_that_is_raised_again_stays_one(world: World) -> None:
    raise_alert(world.services, "backup", "shop/api staging postgresql", "It failed.", "Look at its log.")
    with world.services.database.reading() as tx:
        (first,) = alerts.all_open(tx)
    raise_alert(world.services, "backup", "shop/api staging postgresql", "It failed twice.", "Look at its log.")
    with world.services.database.reading() as tx:
        (second,) = alerts.all_open(tx, "backup")
        assert alerts.all_open(tx, "cron") == ()
    assert (second.id, second.raised_at, second.message) == (first.id, first.raised_at, "It failed twice.")


def test_an_alert_that_was_cleared_is_history_and_may_be_raised_anew(world: World) -> None:
    raise_alert(world.services, "cron", "a", "Missed.", "")
    clear_alert(world.services, "cron", "a")
    clear_alert(world.services, "cron", "a")
    raise_alert(world.services, "cron", "a", "Missed again.", "")
    with world.services.database.reading() as tx:
        found = alerts.page(tx, installation=True, project_names=(), cleared=True)
        assert [alert.message for alert in alerts.all_open(tx)] == ["Missed again."]
    assert [(alert.message, alert.cleared_at is not None) for alert in found] == [
        ("Missed again.", False),
        ("Missed.", True),
    ]


def test_alerts_are_seen_by_those_whom_they_concern(world: World) -> None:
    project = world.project()
    world.user("root", admin=True)
    world.user("dev", shop=Role.DEVELOPER)
    world.user("foreign", other=Role.MAINTAINER)
    raise_alert(world.services, "backup", "of the shop", "It failed.", "", project=project)
    raise_alert(world.services, "certificate", "of all", "It ends.", "")
    seen = {}
    for name in ("root", "dev", "foreign"):
        with asking(world, **token(name)) as client:
            seen[name] = [(a["subject"], a["project"]) for a in client.get("/api/v1/alerts").json()["items"]]
            page = client.get("/").text
            assert [subject for subject in ("of all", "of the shop") if subject in page] == [s for s, _ in seen[name]]
    assert seen == {
        "root": [("of all", None), ("of the shop", "shop/api")],
        "dev": [("of the shop", "shop/api")],
        "foreign": [],
    }
