from datetime import UTC, datetime

from cabestan.adapters.tasks import ServiceState, TaskState
from cabestan.web.pages.states import State
from cabestan.web.pages.tasks import ServiceView, TaskView, service_view

SERVING = State("serving", "good", "check")
DOWN = State("down", "bad", "cross")
NOW = datetime(2026, 5, 4, 12, 1, tzinfo=UTC)
RUNNING = State("running", "good", "check")
FAILED = State("failed", "bad", "cross")
NODES = {"node-1": "ada", "node-2": "bob"}
IMAGE = "127.0.0.1:5600/demo/hello@sha256:" + "ab" * 32


def _task(slot: int, state: str, wanted: str = "running", error: str = "") -> TaskState:
    return TaskState(f"t{slot}{state}", slot, state, wanted, error, IMAGE, True, f"2026-05-04T12:00:0{slot}Z", "node-1")


def _service(*tasks: TaskState, replicas: int = 1) -> ServiceState:
    return ServiceState("web", IMAGE, replicas, False, "", "", tasks)


def test_tasks_that_should_run_come_before_those_that_ended() -> None:
    service = _service(_task(2, "failed", "shutdown", "non-zero exit (1)"), _task(1, "running"))
    assert service_view(service, NODES, NOW) == ServiceView(
        "web",
        SERVING,
        "1 of 1",
        "demo/hello@sha256:abababababab",
        (TaskView("web.1", RUNNING, "ada", "", NOW.replace(minute=0, second=1)),),
        (TaskView("web.2", FAILED, "ada", "non-zero exit (1)", NOW.replace(minute=0, second=2)),),
        wanted=1,
    )


def test_former_tasks_are_apart_the_newest_first_but_for_the_last_where_nothing_should_run() -> None:
    former = [_task(slot, "shutdown", "shutdown") for slot in (1, 3, 2)]
    running = service_view(_service(*former, _task(4, "running")), NODES, NOW)
    assert ([t.name for t in running.tasks], [t.name for t in running.ended]) == (
        ["web.4"],
        ["web.3", "web.2", "web.1"],
    )
    gone = service_view(_service(*former), NODES, NOW)
    assert ([t.name for t in gone.tasks], [t.name for t in gone.ended]) == (["web.3"], ["web.2", "web.1"])


def test_what_ran_once_is_not_folded_away() -> None:
    done = ServiceState("migrate", IMAGE, 1, True, "", "", (_task(1, "complete", "complete"),))
    view = service_view(done, NODES, NOW)
    assert ([task.name for task in view.tasks], view.ended) == (["migrate.1"], ())


def test_a_service_without_running_tasks_is_starting_or_down() -> None:
    assert service_view(_service(_task(1, "starting")), NODES, NOW).state == State("starting", "busy", "spin")
    assert service_view(_service(_task(1, "failed", "shutdown"), _task(1, "ready")), NODES, NOW).state == DOWN


def test_a_node_is_named_where_there_are_several() -> None:
    service = _service(_task(1, "running"))
    assert [task.node for task in service_view(service, {"node-1": "ada"}, NOW).tasks] == [""]
    assert [task.node for task in service_view(service, NODES, NOW).tasks] == ["ada"]
