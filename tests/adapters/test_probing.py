import httpx
import pytest

from cabestan.adapters.probing import judge_answer, probe
from cabestan.domain.route import Probe


@pytest.mark.parametrize(
    ("status", "headers", "wrong"),
    [
        (200, {}, ""),
        (404, {}, ""),
        (404, {"Cabestan-Route": "none"}, "the router has no route for a.org/x"),
        (500, {}, ""),
        (302, {}, ""),
        (401, {}, ""),
        (502, {}, "a.org/x answers 502"),
        (503, {}, "a.org/x answers 503"),
        (504, {}, "a.org/x answers 504"),
    ],
)
def test_an_application_may_answer_what_it_likes_but_the_router_may_not_refuse(
    status: int, headers: dict[str, str], wrong: str
) -> None:
    assert judge_answer(status, httpx.Headers(headers), Probe("a.org", "/x")) == wrong


def test_a_router_that_is_not_there_gives_no_answer() -> None:
    wanted = Probe("a.org", "/x", "HEAD", (("X-A", "b"),))
    assert probe("127.0.0.1", 1, wanted).startswith("the router gives no answer for HEAD a.org/x: ")
