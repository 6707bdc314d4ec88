"""Alerts: raised, renewed, cleared, and seen by those whom they concern."""

from tests.engine.world import World
from tests.web.client import asking, token

from cabestan.domain.access import Role
from cabestan.engine.alerts import clear_alert, raise_alert, told
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


def test_an_alert_is_one_line_and_what_was_said_last_is_kept_by_its_end(world: World) -> None:
    said = "\n".join(str(number) for number in range(2000))
    raise_alert(world.services, "backup", "a", "It failed: no room.\n  indented\n", "", words=f"\n{said}\n")
    with world.services.database.reading() as tx:
        (alert,) = alerts.all_open(tx)
    assert (alert.message, alert.words[-9:], len(alert.words)) == ("It failed: no room.", "1998\n1999", 4000)
    assert told("a\n  b", "c") == ("a", "  b\nc")


def test_other_last_words_are_the_same_alert(world: World) -> None:
    for words in ("one", "two"):
        raise_alert(world.services, "service", "a", "It is down.", "", words=words)
    with world.services.database.reading() as tx:
        assert [alert.words for alert in alerts.all_open(tx)] == ["two"]


def test_page_and_api_show_one_form_to_those_whom_it_concerns(world: World) -> None:
    project = world.project()
    world.user("dev", shop=Role.DEVELOPER)
    world.user("root", admin=True)
    world.user("foreign", other=Role.MAINTAINER)
    raise_alert(
        world.services, "service", "shop/api staging", "staging is down.", "Do `it`.", words="last <b>", project=project
    )
    raise_alert(world.services, "platform", "router", "It does not run.", "")
    raise_alert(world.services, "cron", "shop/api staging tick", "It failed.", "", project=project)
    clear_alert(world.services, "cron", "shop/api staging tick")
    with asking(world, **token("dev")) as client:
        told = client.get("/api/v1/alerts/1").json()
        assert (told["message"], told["words"], told["subject"]) == ("staging is down.", "last <b>", "shop/api staging")
        assert client.get("/api/v1/alerts/2").status_code == 404, "of the installation"
        assert client.get(f"/api/v1/alerts/{10**30}").status_code == 404
        for path in ("/", "/alerts"):
            page = client.get(path).text
            assert '<a href="/shop/api/environments/staging">Application: staging</a>' in page
            assert "last &lt;b&gt;</pre>" in page
            assert "<code>it</code>" in page
            assert "It does not run." not in page
            assert ("Scheduled run failed: staging tick" in page) is (path == "/alerts")
    with asking(world, **token("root")) as client:
        assert "It does not run." in client.get("/alerts").text
        assert client.get("/api/v1/alerts/2").json()["message"] == "It does not run."
    with asking(world, **token("foreign")) as client:
        refused = client.get("/api/v1/alerts/1")
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, "There is no alert 1.")
        assert "shop" not in client.get("/alerts").text


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
