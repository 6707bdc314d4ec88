from __future__ import annotations

from cabestan.domain.route import Probe, Route


def test_the_hosts_of_a_route_are_its_claims_without_wildcards() -> None:
    route = Route("web", "web", "", "", ("*.a.org", "a.org", "b.org"), 80, 1)

    assert route.hosts == ("a.org", "b.org")


def test_a_probe_tells_its_method_where_it_is_not_the_usual_one() -> None:
    assert [str(Probe("a.org", "/x")), str(Probe("a.org", "/?q=1", "HEAD"))] == ["a.org/x", "HEAD a.org/?q=1"]
