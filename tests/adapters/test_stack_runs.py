"""From a service of a rendered stack to what the engine is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from cabestan.adapters.stack_runs import StackRun, filled, nanoseconds, size_in_bytes, task_template
from cabestan.errors import StepFailed

STACK: dict[str, Any] = {
    "networks": {"default": {"external": True, "name": "s-net"}},
    "volumes": {"data": {"name": "s_data", "labels": {"cabestan.volume": "data"}}},
    "secrets": {"KEY": {"external": True, "name": "s_KEY_0123"}},
}


def run(service: dict[str, Any], **secrets: str) -> StackRun:
    return StackRun("cab", 7, 2, {"image": "i@sha256:0", "networks": ["default"], **service}, STACK, secrets)


def template(service: dict[str, Any], **secrets: str) -> dict[str, Any]:
    return task_template(run(service, **secrets), lambda name: f"id of {name}")


def test_its_objects_bear_its_name() -> None:
    made = run({})
    assert made.name == "cab-run-7-2"
    assert made.labels == {"cabestan.instance": "cab", "cabestan.run": "7", "cabestan.attempt": "2"}


def test_the_least_service_becomes_this() -> None:
    assert template({}) == {
        "ContainerSpec": {
            "Image": "i@sha256:0",
            "Env": [],
            "Labels": {"cabestan.instance": "cab", "cabestan.run": "7", "cabestan.attempt": "2"},
            "Hosts": [],
            "Init": True,
            "StopGracePeriod": 10_000_000_000,
            "Healthcheck": {"Test": ["NONE"]},
            "Mounts": [],
            "Secrets": [],
        },
        "RestartPolicy": {"Condition": "none"},
        "Resources": {"Limits": {}, "Reservations": {}},
        "Placement": {"Constraints": []},
        "LogDriver": {"Name": "json-file", "Options": {"max-size": "2g", "max-file": "1"}},
        "Networks": [{"Target": "s-net"}],
    }


def test_all_that_a_service_says_reaches_the_engine() -> None:
    made = template(
        {
            "entrypoint": ["/entry"],
            "command": ["bash", "-c", "echo $$HOME"],
            "environment": {"A": "${CABESTAN_SECRET_KEY}", "B": "$$5"},
            "user": "1001",
            "working_dir": "/srv",
            "extra_hosts": ["db:10.0.0.1", "six:fe80::1"],
            "init": False,
            "read_only": True,
            "tty": True,
            "stop_signal": "SIGINT",
            "stop_grace_period": "1m30s",
            "healthcheck": {"test": ["CMD", "x"]},
            "labels": {"a": "b"},
            "volumes": [
                {"type": "volume", "source": "data", "target": "/data", "volume": {"nocopy": True}},
                {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 1024}},
            ],
            "secrets": [{"source": "KEY", "target": "key", "uid": "1001", "mode": 0o400}],
            "deploy": {
                "resources": {"limits": {"cpus": "0.5", "memory": "50M"}},
                "placement": {"constraints": ["node.labels.disk == ssd"]},
            },
            "networks": {"default": {"aliases": ["other"]}},
        },
        KEY="the value $$ ${CABESTAN_SECRET_KEY}",
    )
    container = made["ContainerSpec"]
    assert container == {
        "Image": "i@sha256:0",
        "Command": ["/entry"],
        "Args": ["bash", "-c", "echo $HOME"],
        "Env": ["A=the value $$ ${CABESTAN_SECRET_KEY}", "B=$5"],
        "Dir": "/srv",
        "User": "1001",
        "Labels": {"a": "b", "cabestan.instance": "cab", "cabestan.run": "7", "cabestan.attempt": "2"},
        "Hosts": ["10.0.0.1 db", "fe80::1 six"],
        "Init": False,
        "ReadOnly": True,
        "TTY": True,
        "StopSignal": "SIGINT",
        "StopGracePeriod": 90_000_000_000,
        "Healthcheck": {"Test": ["NONE"]},
        "Mounts": [
            {
                "Type": "volume",
                "Target": "/data",
                "ReadOnly": False,
                "Source": "s_data",
                "VolumeOptions": {"Labels": {"cabestan.volume": "data"}, "NoCopy": True},
            },
            {"Type": "tmpfs", "Target": "/tmp", "ReadOnly": False, "TmpfsOptions": {"SizeBytes": 1024}},
        ],
        "Secrets": [
            {
                "SecretID": "id of s_KEY_0123",
                "SecretName": "s_KEY_0123",
                "File": {"Name": "key", "UID": "1001", "GID": "0", "Mode": 0o400},
            }
        ],
    }
    assert made["Resources"]["Limits"] == {"NanoCPUs": 500_000_000, "MemoryBytes": 52_428_800}
    assert made["Placement"] == {"Constraints": ["node.labels.disk == ssd"]}
    assert made["Networks"] == [{"Target": "s-net"}]


def test_no_value_of_a_secret_is_shown_when_a_run_is_printed() -> None:
    assert "canary" not in repr(run({}, KEY="canary"))


def test_secrets_are_filled_in_once() -> None:
    assert filled(["$${CABESTAN_SECRET_A}", "x${CABESTAN_SECRET_A}y$$"], {"A": "$$"}) == [
        "${CABESTAN_SECRET_A}",
        "x$$y$",
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10.0), ("1m30s", 90.0), ("500ms", 0.5), ("1.5h", 5400.0), ("250us", 0.00025)]
)
def test_durations_are_read_as_docker_does(text: str, seconds: float) -> None:
    assert nanoseconds(text) == round(seconds * 10**9)


@pytest.mark.parametrize(
    ("text", "size"), [("50M", 50 << 20), ("1.5g", 3 << 29), ("10", 10), (10, 10), ("2 kb", 2048), ("7B", 7)]
)
def test_sizes_are_read_as_docker_does(text: str | int, size: int) -> None:
    assert size_in_bytes(text) == size


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(StepFailed):
        size_in_bytes("much")
