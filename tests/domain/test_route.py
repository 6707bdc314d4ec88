from __future__ import annotations

from cabestan.domain.route import Route

ROUTE = Route("web", ("a.example.org", "b.example.org"), ("/x", "/y"), 80, None, "")


def test_addresses_are_each_host_with_each_path() -> None:
    assert ROUTE.addresses == ("a.example.org/x", "a.example.org/y", "b.example.org/x", "b.example.org/y")
    assert Route("web", ("a",), (), 80, None, "").addresses == ("a/",)
