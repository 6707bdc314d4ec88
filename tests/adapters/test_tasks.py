from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.adapters.engine_answers import NEW, OLD, STACK, container, service, task, template

from cabestan.adapters.passing_faults import EngineStart
from cabestan.adapters.tasks import Failure, ServiceState, StackState, TaskState, parse_stack

SINCE = "2024-05-06T07:09:00.000000"
JOB = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}


def parsed(tasks: list[dict[str, Any]], **changes: Any) -> ServiceState:
    (found,) = parse_stack(STACK, [service(**changes)], tasks).services
    return found


def test_a_service_tells_how_much_memory_each_of_its_containers_may_use() -> None:
    limits = {"Limits": {"MemoryBytes": 60 << 20}, "Reservations": {}}
    several = [service("bound", Resources=limits), service("free")]
    assert [one.memory for one in parse_stack(STACK, several, []).services] == [60 << 20, 0]


def test_services_and_tasks_are_read_as_the_engine_tells_them() -> None:
    ended = {"Err": "task: non-zero exit (1)", "ContainerStatus": {"ContainerID": "c", "PID": 0, "ExitCode": 1}}
    silent = {"ContainerStatus": {"ContainerID": "c", "PID": 0, "ExitCode": 3}}
    tasks = [
        task(1, "shutdown", "shutdown", OLD),
        task(3, ContainerStatus={"ContainerID": "c", "PID": 7, "ExitCode": 0}),
        task(2, "failed", "shutdown", **ended),
        task(4, "complete", "complete", of="job", **silent),
    ]
    update = {"State": "updating", "StartedAt": "x", "Message": "update in progress"}
    answer = parse_stack(STACK, [service(update=update), service("job", JOB)], tasks)

    def state(number: int, **changes: Any) -> TaskState:
        known = {"slot": number, "state": "running", "wanted": "running", "error": "", "image": NEW, "current": True}
        since = f"2024-05-06T07:09:{number:02}.2513541Z"
        known |= {"node": "h0dusw2xoxicrmgklh4va2exq", "container": "c"} | changes
        return TaskState(id=f"task-{number}", since=since, **known)

    job = state(4, state="complete", wanted="complete", error="exit code 3", exit_code=3)
    web = (
        state(3),
        state(2, state="failed", wanted="shutdown", error="task: non-zero exit (1)", exit_code=1),
        state(1, state="shutdown", wanted="shutdown", image=OLD, current=False, container=""),
    )
    assert answer == StackState(
        STACK,
        (
            ServiceState("job", NEW, 1, True, "", "", (job,)),
            ServiceState("web", NEW, 2, False, "updating", "update in progress", web),
        ),
    )
    assert answer.progress == "web 1/2"


@pytest.mark.parametrize(
    ("wanted", "current"),
    [
        (template(), True),
        (template(LogDriver=None, RestartPolicy=None), True),
        (template(ContainerSpec=container(Mounts=[], Secrets=None)), True),
        (template(OLD), False),
        (template(ContainerSpec=container(Env=["COMMIT=2"])), False),
        (template(ContainerSpec=container(Labels={})), False),
        (template(ForceUpdate=1), False),
        (template(Resources={"Limits": {"MemoryBytes": 1}}), False),
        (template(Placement={"Constraints": ["node.role==manager"]}), False),
    ],
)
def test_a_task_is_current_when_it_does_what_the_service_asks_for(wanted: dict[str, Any], current: bool) -> None:
    answer = service()
    answer["Spec"]["TaskTemplate"] = wanted
    (found,) = parse_stack(STACK, [answer], [task(1)]).services
    assert [t.current for t in found.tasks] == [current]


@pytest.mark.parametrize(
    ("tasks", "changes", "settled"),
    [
        ([], {}, False),
        ([task(1)], {}, False),
        ([task(1), task(2)], {}, True),
        ([task(1), task(2, "starting")], {}, False),
        ([task(1), task(2, "running", "shutdown")], {}, False),
        ([task(1), task(2), task(3, image=OLD)], {}, False),
        ([task(1), task(2), task(3, "running", "shutdown", OLD)], {}, True),
        ([task(1, image=OLD), task(2, image=OLD)], {}, False),
        ([task(1), task(2), task(3, "failed", "shutdown")], {}, True),
        ([], {"mode": {"Replicated": {"Replicas": 0}}}, True),
        ([task(1)], {"mode": {"Replicated": {}}}, True),
        ([], {"mode": JOB}, False),
        ([task(1, "complete", "complete")], {"mode": JOB}, True),
        ([task(1, "running", "complete")], {"mode": JOB}, True),
        ([task(1, "complete", "complete", OLD)], {"mode": JOB}, False),
        ([task(1, "complete", "shutdown"), task(2, "complete", "shutdown")], {"restart": "none"}, True),
    ],
)
def test_a_service_is_settled_when_all_that_is_wanted_runs_and_nothing_former(
    tasks: list[dict[str, Any]], changes: dict[str, Any], settled: bool
) -> None:
    assert parsed(tasks, **changes).settled is settled


def failed(number: int, words: str = "no luck", state: str = "failed") -> dict[str, Any]:
    return task(number, state, "shutdown", Err=words)


@pytest.mark.parametrize(
    ("tasks", "changes", "why"),
    [
        ([], {}, ""),
        ([failed(1)], {}, ""),
        ([failed(1), failed(2)], {}, ""),
        ([failed(1), failed(2), failed(3, "the last words")], {}, "the last words"),
        ([failed(1, "No such image", "rejected")], {}, "No such image"),
        ([task(n, "failed", "shutdown", OLD, Err="old") for n in (1, 2, 3)], {}, ""),
        (
            [failed(0), failed(1), failed(2) | {"Status": failed(2)["Status"] | {"Timestamp": "2024-05-06T07:08"}}],
            {},
            "",
        ),
        ([failed(1)], {"mode": JOB}, "no luck"),
        ([task(1, "complete", "complete")], {"mode": JOB}, ""),
        (
            [task(n, "complete", "shutdown") for n in (1, 2, 3)],
            {},
            "its container ended, without an error, each time it was started",
        ),
        ([failed(1)], {"restart": "none"}, "no luck"),
        ([failed(1)], {"update": {"State": "updating"}}, ""),
        ([failed(1)], {"update": {"State": "paused", "Message": "paused"}}, "no luck"),
        (
            [],
            {"update": {"State": "paused", "Message": "update paused due to failure"}},
            "update paused due to failure",
        ),
        ([], {"update": {"State": "rollback_completed"}}, "rollback_completed"),
        ([], {"update": {"State": "rollback_started", "Message": "m"}}, "m"),
        ([], {"update": {"State": "completed", "Message": "m"}}, ""),
    ],
)
def test_a_service_fails_in_the_words_of_its_task(
    tasks: list[dict[str, Any]], changes: dict[str, Any], why: str
) -> None:
    found = parsed(tasks, **changes).failure(SINCE)
    assert (found.words if found else "") == why
    assert found is None or found.service == "web"


_BUSY = "starting container failed: unable to remount dir as readonly: mount tmpfs: device or resource busy"
_NO_ADDRESS = "failed to find a load balancer IP to use for network: 3i9lakxoqk5rcko2cp18qa83e"
_PAUSED = {"State": "paused", "Message": "update paused due to failure"}


@pytest.mark.parametrize(
    ("tasks", "update", "why", "may_go_on"),
    [
        ([failed(1, _BUSY)], {"State": "updating"}, "", False),
        ([failed(1, _BUSY)], _PAUSED, "", False),
        ([failed(1, _BUSY), task(1, "starting")], _PAUSED, "", False),
        ([failed(1, _BUSY), task(1, image=OLD), task(2)], _PAUSED, "", False),
        ([failed(1, _BUSY), task(1, "running", "shutdown")], _PAUSED, "", False),
        ([failed(1, _BUSY), task(1)], _PAUSED, "", True),
        ([failed(1, _NO_ADDRESS, "rejected")], {"State": "updating"}, "", False),
        ([failed(1, _NO_ADDRESS, "rejected"), task(1)], _PAUSED, "", True),
        ([failed(n, _NO_ADDRESS, "rejected") for n in (1, 2, 3)], {"State": "updating"}, _NO_ADDRESS, False),
        ([failed(1, _BUSY), failed(1, _BUSY), task(1)], _PAUSED, "", True),
        ([failed(1, _BUSY), failed(2, _BUSY), failed(3, _BUSY), task(1), task(2), task(3)], _PAUSED, _BUSY, False),
        ([failed(1, _BUSY), failed(2, "no luck"), task(1), task(2)], _PAUSED, "no luck", False),
        ([task(1)], _PAUSED, "update paused due to failure", False),
        ([failed(1, _BUSY), task(1)], {"State": "rollback_paused"}, _BUSY, False),
    ],
)
def test_an_update_that_a_passing_fault_stopped_goes_on_once_its_task_runs(
    tasks: list[dict[str, Any]], update: dict[str, Any], why: str, may_go_on: bool
) -> None:
    found = parsed(tasks, update=update)
    failure = found.failure(SINCE)
    assert (failure.words if failure else "", found.may_go_on(SINCE)) == (why, may_go_on)


_DIED = "node is missing network attachments, ip addresses may be exhausted"


@pytest.mark.parametrize(("second", "why"), [(50, ""), (1, _DIED)])
def test_any_words_of_an_engine_that_came_up_meanwhile_are_a_fault_that_passes(second: int, why: str) -> None:
    """The task is of second 2, and Swarm starts another one by itself."""
    died = failed(2, _DIED, "rejected")
    engine = EngineStart(died["NodeID"], datetime(2024, 5, 6, 7, 8, second, tzinfo=UTC))
    (found,) = parse_stack(STACK, [service(update=_PAUSED)], [died, task(2)], engine).services
    failure = found.failure(SINCE)
    assert (failure.words if failure else "", found.may_go_on(SINCE)) == (why, not why)


def test_what_is_never_started_again_fails_of_a_passing_fault_too() -> None:
    found = parsed([failed(1, _BUSY)], update=_PAUSED, restart="none")
    failure = found.failure(SINCE)
    assert (failure.words if failure else "", found.may_go_on(SINCE)) == (_BUSY, False)


def test_a_stack_fails_with_its_first_service_and_is_settled_with_its_last() -> None:
    services = [service("worker"), service("web", {"Replicated": {"Replicas": 1}})]
    good, bad = task(1), [task(n, "failed", "shutdown", of="worker", Err="no luck") for n in (2, 3, 4)]
    broken = parse_stack(STACK, services, [good, *bad])
    worker = broken.services[1]
    assert (broken.failure(SINCE), broken.settled) == (Failure("worker", worker.tasks[0], "no luck"), False)
    whole = parse_stack(STACK, services, [good, task(2, of="worker"), task(3, of="worker")])
    assert (whole.failure(SINCE), whole.settled, whole.progress) == (None, True, "web 1/1, worker 2/2")


@pytest.mark.parametrize(
    ("state", "stopped"),
    [("running", False), ("starting", False), ("preparing", False), ("shutdown", True), ("failed", True)],
)
def test_a_stack_has_stopped_when_no_task_runs_or_is_about_to(state: str, stopped: bool) -> None:
    task = TaskState("t", 1, state, "shutdown", "", "i", True, "2024", "n")
    assert StackState("s", (ServiceState("db", "i", 0, False, "", "", (task,)),)).stopped is stopped


def test_a_service_that_ends_well_again_and_again_is_told_how_to_say_that_it_ends() -> None:
    well = parsed([task(n, "complete", "shutdown") for n in (1, 2, 3)]).failure(SINCE)
    badly = parsed([failed(n) for n in (1, 2, 3)]).failure(SINCE)
    assert well
    assert badly
    assert well.remedy.startswith('A service that does its work and ends has restart: "no" in the Compose file')
    assert badly.remedy == ""
