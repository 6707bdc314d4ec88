from __future__ import annotations

from cabestan.domain.route import HostConflict, Route, conflicts

ROUTE = Route("web", ("a.example.org", "b.example.org"), ("/x", "/y"), 80, None, "")


def test_addresses_are_each_host_with_each_path() -> None:
    assert ROUTE.addresses == ("a.example.org/x", "a.example.org/y", "b.example.org/x", "b.example.org/y")
    assert Route("web", ("a",), (), 80, None, "").addresses == ("a/",)


def test_a_host_of_another_project_is_a_conflict() -> None:
    claimed = {"A.example.org": "other/one", "b.example.org": "demo/hello", "c.example.org": "other/one"}

    assert conflicts(claimed, [ROUTE], "demo/hello") == (HostConflict("a.example.org", "other/one", "web"),)
    assert str(conflicts(claimed, [ROUTE], "demo/hello")[0]) == (
        "The host a.example.org of the service web belongs to other/one."
    )
    assert conflicts({}, [ROUTE], "demo/hello") == ()
