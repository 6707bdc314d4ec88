from __future__ import annotations

import pytest

from cabestan.domain.route import Probe, Route, RouteAnswer


def test_the_hosts_of_a_route_are_its_claims_without_wildcards() -> None:
    route = Route("web", "web", "", "", ("*.a.org", "a.org", "b.org"), 80, 1)

    assert route.hosts == ("a.org", "b.org")


def test_a_probe_tells_its_method_where_it_is_not_the_usual_one() -> None:
    assert [str(Probe("a.org", "/x")), str(Probe("a.org", "/?q=1", "HEAD"))] == ["a.org/x", "HEAD a.org/?q=1"]


WANTED = Probe("a.org", "/x", marks=("0a",))


@pytest.mark.parametrize(
    ("answer", "expected", "wrong"),
    [
        (RouteAnswer(200, "0a"), 0, ""),
        (RouteAnswer(404, "0a"), 0, ""),
        (RouteAnswer(401, "0a"), 0, ""),
        (RouteAnswer(500, "0a"), 0, "a.org/x answers 500"),
        (RouteAnswer(502, "0a"), 0, "a.org/x answers 502"),
        (RouteAnswer(500, "0a"), 500, ""),
        (RouteAnswer(404, "0a"), 200, "a.org/x answers 404 instead of 200"),
        (RouteAnswer(404, "none"), 0, "the router has no route for a.org/x"),
        (RouteAnswer(503, "down"), 503, "nothing runs that a.org/x leads to"),
        (RouteAnswer(200, "1b"), 0, "a.org/x is answered by another route than its own (200)"),
        (RouteAnswer(trouble="gets no answer within 10 s"), 0, "a.org/x gets no answer within 10 s"),
    ],
)
def test_an_answer_is_as_it_should_be_or_says_in_one_sentence_what_is_wrong(
    answer: RouteAnswer, expected: int, wrong: str
) -> None:
    assert answer.wrong(WANTED, expected) == wrong
