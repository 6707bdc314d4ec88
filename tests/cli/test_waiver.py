from __future__ import annotations

from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

AT = "/projects/shop/api/waivers"
WAIVER = {
    "code": "image-root",
    "title": "No image runs as root",
    "by": "admin",
    "reason": "old",
    "created_at": "2024-05-06T07:08:09.000Z",
    "removed_by": "",
    "removed_at": None,
}


def test_waivers_are_listed(cli: Cli, server: FakeServer) -> None:
    server.lists(AT, WAIVER)
    done = cli("waiver", "list", "-p", "shop/api")
    assert done.out.splitlines()[1].split()[:3] == ["image-root", "old", "admin"]
    assert cli("waiver", "list", "-p", "shop/api", "--json").json == [WAIVER]
    cli("waiver", "list", "-p", "shop/api", "--removed")
    assert server.asked[-1] == Asked("GET", f"{AT}?limit=50&removed=true")


def test_a_rule_is_waived_with_a_reason_and_holds_again(cli: Cli, server: FakeServer) -> None:
    server.on("PUT", f"{AT}/image-root", WAIVER)
    server.on("DELETE", f"{AT}/image-root", {})
    assert cli("waiver", "add", "image-root", "--reason", "old", "-p", "shop/api").code == 0
    assert cli("waiver", "remove", "image-root", "-p", "shop/api").code == 0
    assert server.asked == [Asked("PUT", f"{AT}/image-root", {"reason": "old"}), Asked("DELETE", f"{AT}/image-root")]


def test_a_waiver_without_a_reason_is_wrong_usage(cli: Cli) -> None:
    assert cli("waiver", "add", "image-root", "-p", "shop/api").code == 2
