"""What is kept of what people stopped and scaled, and how a plan tells it."""

import pytest
from tests.samples import deployment, environment

from cabestan.domain.action import ActionKind, Kept, Numbers, keeping, kept_words
from cabestan.domain.deployment import decide_arrival, next_to_run
from cabestan.domain.environment import Trigger
from cabestan.domain.status import DeploymentStatus

PRESENT = ("db", "web", "worker")
QUEUED, RUNNING = DeploymentStatus.QUEUED, DeploymentStatus.RUNNING
ALL_STOPPED = Kept(everything=True, replicas=(("web", 3),))


@pytest.mark.parametrize(
    ("kept", "kind", "services", "numbers", "after"),
    [
        (Kept(), ActionKind.STOP, ("web",), (), Kept(stopped=("web",))),
        (Kept(stopped=("web",)), ActionKind.STOP, ("db",), (), Kept(stopped=("db", "web"))),
        (Kept(stopped=("web",)), ActionKind.STOP, (), (), Kept(everything=True)),
        (Kept(replicas=(("web", 3),)), ActionKind.STOP, (), (), ALL_STOPPED),
        (ALL_STOPPED, ActionKind.START, (), (), Kept(replicas=(("web", 3),))),
        (ALL_STOPPED, ActionKind.START, ("web",), (), Kept(stopped=("db", "worker"), replicas=(("web", 3),))),
        (Kept(stopped=("db", "web")), ActionKind.START, ("web",), (), Kept(stopped=("db",))),
        (Kept(), ActionKind.SCALE, (), (("web", 3),), Kept(replicas=(("web", 3),))),
        (Kept(stopped=("web",)), ActionKind.SCALE, (), (("web", 3),), Kept(replicas=(("web", 3),))),
        (Kept(), ActionKind.SCALE, (), (("web", 0), ("db", 2)), Kept(stopped=("web",), replicas=(("db", 2),))),
        (Kept(replicas=(("web", 3),)), ActionKind.SCALE, (), (("web", None),), Kept()),
        (ALL_STOPPED, ActionKind.SCALE, (), (("web", None),), Kept(everything=True)),
        (ALL_STOPPED, ActionKind.RESTART, ("web",), (), ALL_STOPPED),
    ],
)
def test_what_is_kept_after_an_action_is_the_same_after_doing_it_twice(
    kept: Kept, kind: ActionKind, services: tuple[str, ...], numbers: Numbers, after: Kept
) -> None:
    assert keeping(kept, kind, services, numbers, PRESENT) == after
    assert keeping(after, kind, services, numbers, PRESENT) == after


def test_a_stop_wins_over_a_number_and_a_number_over_the_file() -> None:
    kept = Kept(stopped=("db",), replicas=(("db", 2), ("web", 3)))
    assert [kept.wanted(name, 1) for name in PRESENT] == [0, 3, 1]
    assert [ALL_STOPPED.wanted(name, 1) for name in PRESENT] == [0, 0, 0]


def test_a_plan_tells_what_is_kept_and_how_to_drop_it() -> None:
    kept = Kept(stopped=("db", "gone"), replicas=(("web", 3), ("worker", 2)))
    assert kept_words(kept, "production", {"db": 1, "web": 1, "worker": 2}) == (
        ("db", "service db is kept stopped; start it with `cabestan start -e production db`"),
        (
            "web",
            "service web is kept at 3 replicas (the Compose file says 1; `cabestan scale -e production web=` goes back "
            "to that)",
        ),
    )
    words = "production is kept stopped; start it with `cabestan start -e production`"
    assert kept_words(ALL_STOPPED, "production", {"web": 1}) == (("production", words),)


def test_a_turn_says_in_words_what_it_does() -> None:
    def what(kind: ActionKind, **changes: object) -> str:
        return deployment(1, 12, QUEUED, kind=kind, **changes).what

    assert what(ActionKind.DEPLOY) == "Release 12"
    assert what(ActionKind.RESTART) == "Restart of everything"
    assert what(ActionKind.STOP, services=("web", "db")) == "Stop of web, db"
    numbers = (("web", 3), ("db", 1), ("worker", None))
    words = "Scaling of web to 3 replicas, db to 1 replica, worker to its own number"
    assert what(ActionKind.SCALE, replicas=numbers) == words


def test_what_was_asked_for_first_is_done_first_and_of_releases_the_newest() -> None:
    old, new = deployment(1, 1, QUEUED), deployment(3, 2, QUEUED)
    stop = deployment(2, 1, QUEUED, kind=ActionKind.STOP)
    assert next_to_run([old, stop, new]) == new
    assert next_to_run([stop, new]) == stop
    assert next_to_run([stop, new.evolve(status=RUNNING)]) is None


def test_a_release_takes_the_place_of_releases_alone() -> None:
    stop, old = deployment(1, 1, QUEUED, kind=ActionKind.STOP), deployment(2, 1, QUEUED)
    assert decide_arrival(environment(trigger=Trigger.AUTOMATIC), 2, [stop, old]).supersedes == (2,)
