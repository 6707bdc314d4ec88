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
        (TaskView("web.1", RUNNING, "ada", ""), TaskView("web.2", FAILED, "ada", "non-zero exit (1)")),
    )


def test_a_service_without_running_tasks_is_starting_or_down() -> None:
    assert service_view(_service(_task(1, "starting")), NODES, NOW).state == State("starting", "busy", "spin")
    assert service_view(_service(_task(1, "failed", "shutdown"), _task(1, "ready")), NODES, NOW).state == DOWN


def test_a_node_is_named_where_there_are_several() -> None:
    service = _service(_task(1, "running"))
    assert [task.node for task in service_view(service, {"node-1": "ada"}, NOW).tasks] == [""]
    assert [task.node for task in service_view(service, NODES, NOW).tasks] == ["ada"]
