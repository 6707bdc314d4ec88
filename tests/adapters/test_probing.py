import httpx
import pytest

from cabestan.adapters.probing import judge_answer, probe
from cabestan.domain.route import Probe


@pytest.mark.parametrize(
    ("status", "headers", "wrong"),
    [
        (200, {"Cabestan-Route": "0a"}, ""),
        (404, {"Cabestan-Route": "1b"}, ""),
        (404, {"Cabestan-Route": "none"}, "the router has no route for a.org/x"),
        (503, {"Cabestan-Route": "down"}, "the router has no route for a.org/x"),
        (500, {"Cabestan-Route": "1b"}, ""),
        (302, {"Cabestan-Route": "1b"}, ""),
        (401, {"Cabestan-Route": "1b"}, ""),
        (502, {"Cabestan-Route": "1b"}, "a.org/x answers 502"),
        (503, {"Cabestan-Route": "1b"}, "a.org/x answers 503"),
        (504, {"Cabestan-Route": "1b"}, "a.org/x answers 504"),
        (200, {"Cabestan-Route": "2c"}, "a.org/x is answered by another route than its own (200)"),
        (404, {}, "a.org/x is answered by another route than its own (404)"),
    ],
)
def test_an_application_may_answer_what_it_likes_but_the_router_may_not_refuse(
    status: int, headers: dict[str, str], wrong: str
) -> None:
    wanted = Probe("a.org", "/x", marks=("0a", "1b"))
    assert judge_answer(status, httpx.Headers(headers), wanted) == wrong


def test_any_route_may_answer_where_the_plan_is_older_than_marks() -> None:
    assert judge_answer(200, httpx.Headers(), Probe("a.org", "/x")) == ""


def test_a_router_that_is_not_there_gives_no_answer() -> None:
    wanted = Probe("a.org", "/x", "HEAD", (("X-A", "b"),))
    assert probe("127.0.0.1", 1, wanted).startswith("the router gives no answer for HEAD a.org/x: ")
