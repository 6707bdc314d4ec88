"""Why services do not come up, in a sentence and in their own words."""

from datetime import UTC, datetime

import pytest

from cabestan.adapters.tasks import Failure, ServiceState, StackState, TaskState
from cabestan.domain.container_words import ContainerWords, FailedCheck, Listener
from cabestan.domain.route import Route
from cabestan.domain.why import Why
from cabestan.engine.deploying.explaining import so_far, why_not_routed, why_not_up, why_too_late

NOW = datetime(2024, 5, 6, 7, 8, 50, tzinfo=UTC)
CHECK = FailedCheck("curl -f localhost:8080/up", 7, 3, ("curl: (7) Failed to connect to localhost port 8080",))


def task(state: str = "starting", error: str = "", code: int | None = None) -> TaskState:
    wanted = "running" if state in ("starting", "running") else "shutdown"
    since = "2024-05-06T07:08:37.123456789Z"
    return TaskState("t", 1, state, wanted, error, "i", True, since, "n", container="c", exit_code=code)


def service(*tasks: TaskState, name: str = "web", replicas: int = 2) -> ServiceState:
    return ServiceState(name, "i", replicas, False, "", "", tasks)


def test_a_crash_at_the_start_is_told_by_its_exit_code_and_its_last_lines() -> None:
    failure = Failure("web", task("failed"), "task: non-zero exit (7)")
    why = why_not_up(
        failure, "staging", ContainerWords(("Traceback (most recent call last):", "KeyError: 'DATABASE_URL'"))
    )
    assert why.text.splitlines()[:3] == [
        "web does not come up: its container ended with exit code 7.",
        "    Traceback (most recent call last):",
        "    KeyError: 'DATABASE_URL'",
    ]
    assert why.remedy == "`cabestan logs -e staging web` shows what it said before."


def test_what_shells_mean_by_an_exit_code_is_said() -> None:
    why = why_not_up(Failure("web", task("failed"), "task: non-zero exit (127)"), "staging")
    assert (why.lines, why.remedy) == ((), "A command was not found: is it installed in this image?")


def test_what_is_never_healthy_is_told_by_what_was_asked_and_what_came() -> None:
    failure = Failure("web", task("failed"), "task: non-zero exit (137): dockerexec: unhealthy container")
    why = why_not_up(failure, "staging", ContainerWords(("Listening on 3000",), CHECK))
    assert why.text.splitlines()[:3] == [
        "web is not healthy: its health check was asked 3 times and ended with exit code 7: curl -f localhost:8080/up",
        "    curl: (7) Failed to connect to localhost port 8080",
        "It is asked within the container; healthcheck in the Compose file says what, how often, from when on.",
    ]


def test_a_check_that_says_nothing_leaves_the_word_to_the_application() -> None:
    failure = Failure("web", task("failed"), "unhealthy container")
    words = ContainerWords(("no database",), FailedCheck("", 1, 1))
    why = why_not_up(failure, "staging", words)
    assert (why.headline, why.lines) == (
        "web is not healthy: its health check was asked once and ended with exit code 1.",
        ("no database",),
    )


@pytest.mark.parametrize(
    ("failure", "words", "headline"),
    [
        (
            Failure("web", task("failed"), "task: non-zero exit (137)"),
            ContainerWords(out_of_memory=True),
            "web does not come up: it used more memory than it may.",
        ),
        (
            Failure("web", task("complete"), "its container ended, without an error, each time it was started"),
            ContainerWords(),
            "web does not stay up: its container ended, without an error, each time it was started.",
        ),
        (Failure("web", None, "update paused"), ContainerWords(), "web does not come up: update paused."),
        (
            Failure("web", task("complete"), "update paused due to failure"),
            ContainerWords(check=FailedCheck("true", 1, 2)),
            "web is not healthy: its health check was asked 2 times and ended with exit code 1: true",
        ),
        # a check that failed once is no reason for what ended by itself
        (
            Failure("web", task("failed"), "task: non-zero exit (7)"),
            ContainerWords(check=CHECK),
            "web does not come up: its container ended with exit code 7.",
        ),
    ],
)
def test_other_ends_have_their_own_sentence(failure: Failure, words: ContainerWords, headline: str) -> None:
    assert why_not_up(failure, "staging", words).headline == headline


@pytest.mark.parametrize(
    ("tasks", "words", "told"),
    [
        ([task(), task("running")], ContainerWords(), "web: 1 of 2 tasks healthy, 1 starting for 10 s"),
        (
            [task()],
            ContainerWords(check=CHECK),
            "web: 0 of 2 tasks healthy, 1 starting for 10 s; health check failed 3 ×: "
            "curl: (7) Failed to connect to localhost port 8080",
        ),
        (
            [task(), task("failed", "task: non-zero exit (1)")],
            ContainerWords(),
            "web: 0 of 2 tasks healthy, 1 starting for 10 s, 1 ended (task: non-zero exit (1))",
        ),
        ([task("running"), task("running")], ContainerWords(), "healthy: web 2/2"),
    ],
)
def test_what_is_seen_while_it_is_watched_is_told(tasks: list[TaskState], words: ContainerWords, told: str) -> None:
    assert so_far(StackState("s", (service(*tasks),)), {"web": words}, NOW) == told


def test_what_is_not_healthy_in_time_is_told_with_what_its_check_says() -> None:
    state = StackState("s", (service(task(), replicas=1), service(task("running"), name="worker", replicas=1)))
    why = why_too_late(state, 305, {"web": ContainerWords(("booting",), CHECK)}, NOW)
    assert why.headline == (
        "Not healthy after 305 s: web: 0 of 1 tasks healthy, 1 starting for 10 s; health check failed 3 ×: "
        "curl: (7) Failed to connect to localhost port 8080."
    )
    assert why.lines == CHECK.said
    assert why_too_late(state, 305, {"web": ContainerWords(("booting",))}, NOW).lines == ("booting",)


ROUTE = Route("web", "web", "Host(`a.org`)", "Host:a.org", ("a.org",), 8080, 1)


@pytest.mark.parametrize(
    ("listeners", "headline", "remedy"),
    [
        (
            (Listener(3000),),
            "web answers on nothing at port 8080; it listens on 3000.",
            "Set traefik.port to the port that it listens on, or have it listen on 8080.",
        ),
        (
            (Listener(8080, inside=True),),
            "web answers on nothing at port 8080, but for itself: it listens on 127.0.0.1:8080, where the router does "
            "not reach it.",
            "Have it listen on 0.0.0.0.",
        ),
        (
            (),
            "web answers on nothing at port 8080; it listens nowhere.",
            "Set traefik.port to the port that it listens on, or have it listen on 8080.",
        ),
        (
            (Listener(8080),),
            "web listens on port 8080, and gives the router no good answer there.",
            "Its own output tells more; scheme of the route may be https where it wants TLS.",
        ),
    ],
)
def test_a_wrong_port_is_told_with_where_the_service_listens(
    listeners: tuple[Listener, ...], headline: str, remedy: str
) -> None:
    assert why_not_routed("a.org/ answers 502", ROUTE, listeners, 20) == Why(
        headline, ("a.org/ answers 502, asked for 20 s",), remedy
    )


@pytest.mark.parametrize(
    ("wrong", "route", "listeners"),
    [
        ("a.org/ answers 502", ROUTE, None),
        ("a.org/ answers 502", None, ()),
        ("the router has no route for a.org/", ROUTE, ()),
    ],
)
def test_where_nobody_can_tell_what_came_is_told(
    wrong: str, route: Route | None, listeners: tuple[Listener, ...] | None
) -> None:
    why = why_not_routed(wrong, route, listeners, 20)
    assert (why.headline, why.lines) == (f"Not routed after 20 s: {wrong}.", ())
