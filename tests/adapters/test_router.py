import pytest

from cabestan.adapters.router import ServiceContainer, judge_answer, probe, registry_container, router_container
from cabestan.domain.route import Probe

SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("status", "text", "wrong"),
    [
        (200, "hello", ""),
        (404, "no such page", ""),
        (404, "404 page not found\n", "the router has no route for a.org/x"),
        (500, "oops", ""),
        (302, "", ""),
        (401, "", ""),
        (502, "Bad Gateway", "a.org/x answers 502"),
        (503, "no available server", "a.org/x answers 503"),
        (504, "", "a.org/x answers 504"),
    ],
)
def test_an_application_may_answer_what_it_likes_but_the_router_may_not_refuse(
    status: int, text: str, wrong: str
) -> None:
    assert judge_answer(status, text, Probe("a.org", "/x")) == wrong


def test_a_router_that_is_not_there_gives_no_answer() -> None:
    wanted = Probe("a.org", "/x", "HEAD", (("X-A", "b"),))
    assert probe("127.0.0.1", 1, wanted).startswith("the router gives no answer for HEAD a.org/x: ")


def test_the_router_reads_the_labels_of_its_own_installation_alone() -> None:
    made = router_container("cabestan", "cabestan/router:3", "127.0.0.1", 8080)
    assert (made.name, made.role, made.image, made.environment) == (
        "cabestan-router",
        "router",
        "cabestan/router:3",
        {},
    )
    assert made.ports == {"8000/tcp": ("127.0.0.1", 8080)}
    assert made.volumes == {SOCKET: SOCKET}
    assert "--providers.swarm.constraints=Label(`cabestan.instance`, `cabestan`)" in made.command
    assert "--providers.swarm.exposedbydefault=false" in made.command
    assert not [word for word in made.command if word.startswith("--api")]


def test_the_registry_is_reached_on_the_loopback_address_alone() -> None:
    assert registry_container("cabestan", "cabestan/registry:2", 5600) == ServiceContainer(
        "cabestan-registry",
        "registry",
        "cabestan/registry:2",
        (),
        {"5000/tcp": ("127.0.0.1", 5600)},
        {"cabestan-registry": "/var/lib/registry"},
        {},
    )
