"""`cabestan environment create`: new ones only, as another one is where that is wished."""

from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

AT = "/projects/demo/hello/environments"
STAGING = {
    "name": "staging",
    "project": "demo/hello",
    "domain": "staging.example.org",
    "trigger": "automatic",
    "branches": ["main"],
    "approvers": [],
    "target": "local",
    "watch_seconds": 7,
    "plain_http": False,
    "time_zone": "",
    "compose_files": ["a.yml"],
}


def test_one_is_made_like_another_but_for_what_is_said(cli: Cli, server: FakeServer) -> None:
    server.lists(AT, STAGING)
    server.on("PUT", f"{AT}/qa", STAGING | {"name": "qa"})
    line = "environment create qa -p demo/hello --like staging --branch x --trigger manual"
    assert cli(*line.split()).code == 0
    kept = {key: STAGING[key] for key in ("approvers", "target", "watch_seconds", "plain_http", "time_zone")}
    wanted = {**kept, "trigger": "manual", "branches": ["x"], "compose_files": ["a.yml"]}
    assert server.asked[-1] == Asked("PUT", f"{AT}/qa", wanted)


def test_one_that_is_there_is_left_alone(cli: Cli, server: FakeServer) -> None:
    server.lists(AT, STAGING)
    made = cli("environment", "create", "staging", "-p", "demo/hello")
    assert (made.code, "There is an environment staging in demo/hello already." in made.err) == (1, True)
    missing = cli("environment", "create", "qa", "-p", "demo/hello", "--like", "nowhere")
    assert (missing.code, "There is no environment nowhere" in missing.err) == (1, True)
    assert {asked.method for asked in server.asked} == {"GET"}


def test_a_groups_members_are_set_and_listed(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", "/groups/shop/members/ada", {})
    server.lists("/groups/shop/members", {"user": "ada", "role": "maintainer", "scope": "shop"})
    assert "ada is maintainer of the group shop." in cli("member", "set", "ada", "maintainer", "--group", "shop").err
    assert server.asked[-1] == Asked("PUT", "/groups/shop/members/ada", {"role": "maintainer"})
    assert "maintainer" in cli("member", "list", "--group", "shop").out
