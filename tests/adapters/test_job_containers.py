from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound, NotFound
from tests.samples import job

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import JobContainer, JobContainers, JobRun, Limits, task_template
from cabestan.adapters.once import of_service, parse_exit
from cabestan.domain.outcome import Exit
from cabestan.errors import StepFailed

IMAGE = "sha256:12ab"


RUN = JobRun("cabestan", job(id=5), 2)
PLAIN = JobContainer("cabestan/builder:1", ("bash", "-c", "echo one\necho two"), {"A": "1", "B": "x=y z"}, Limits(60))


def test_a_job_is_a_task_that_swarm_never_starts_again() -> None:
    labels = {"cabestan.instance": "cabestan", "cabestan.job": "5", "cabestan.attempt": "2"}
    assert (RUN.name, RUN.labels) == ("cabestan-job-5-2", labels)
    assert task_template(RUN, PLAIN, IMAGE, None) == {
        "ContainerSpec": {
            "Image": IMAGE,
            "Command": ["bash", "-c", "echo one\necho two"],
            "Env": ["A=1", "B=x=y z"],
            "Labels": labels,
            "User": "",
            "TTY": True,
            "Init": True,
            "StopGracePeriod": 5_000_000_000,
            "Mounts": [],
        },
        "Resources": {"Limits": {"MemoryBytes": 0, "NanoCPUs": 0}},
        "RestartPolicy": {"Condition": "none"},
        "LogDriver": {"Name": "json-file", "Options": {"max-size": "2g", "max-file": "1"}},
        "Networks": [{"Target": "host"}],
    }


def test_a_job_gets_what_its_container_is_made_of_and_its_token_as_a_file() -> None:
    made_of = replace(PLAIN, volumes={"sockets": "/run/builder"}, tmpfs=("/tmp",), user="1001", terminal=False)
    made_of = replace(made_of, network="own", limits=Limits(60, memory=2**20, cpus=0.5))
    plain, all_of_it = task_template(RUN, PLAIN, IMAGE, None), task_template(RUN, made_of, IMAGE, "secret-id")
    volume = {"Type": "volume", "Source": "sockets", "Target": "/run/builder", "VolumeOptions": {"NoCopy": True}}
    file = {"Name": "job-token", "UID": "0", "GID": "0", "Mode": 0o444}
    assert all_of_it == plain | {
        "ContainerSpec": plain["ContainerSpec"]
        | {
            "User": "1001",
            "TTY": False,
            "Mounts": [volume, {"Type": "tmpfs", "Target": "/tmp"}],
            "Secrets": [{"SecretID": "secret-id", "SecretName": "cabestan-job-5-2", "File": file}],
        },
        "Resources": {"Limits": {"MemoryBytes": 2**20, "NanoCPUs": 500_000_000}},
        "Networks": [{"Target": "own"}],
    }


def test_a_job_whose_image_is_not_here_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ImageNotFound("no such image")

    def unknown(_name: str) -> None:
        raise NotFound("no such service")

    answers = SimpleNamespace(api=SimpleNamespace(inspect_service=unknown), images=SimpleNamespace(get=missing))
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(answers))
    with pytest.raises(StepFailed, match=r"cabestan/builder:1 is not on this engine\. `cabestan up` builds it"):
        JobContainers(Engine("unix:///nowhere"), "cabestan").start(RUN, PLAIN, lambda: pytest.fail("a token was made"))


@pytest.mark.parametrize(
    ("state", "exit"),
    [
        ({"Status": "created", "ExitCode": 0}, None),
        ({"Status": "running", "Running": True, "ExitCode": 0, "OOMKilled": False, "Error": ""}, None),
        ({"Status": "exited", "ExitCode": 0, "OOMKilled": False, "Error": ""}, Exit(0)),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Error": ""}, Exit(137, out_of_memory=True)),
        ({"Status": "exited", "ExitCode": 127, "Error": "no such file"}, Exit(127, error="no such file")),
        ({"Status": "dead", "ExitCode": 255}, Exit(255)),
    ],
)
def test_the_end_of_a_container_is_read_as_the_engine_tells_it(state: dict[str, Any], exit: Exit | None) -> None:
    assert parse_exit(state) == exit


def test_a_container_is_a_services_by_its_name_whatever_its_image_labels_say() -> None:
    own, other = {"Names": ["/cabestan-run-5-1.1.abc"]}, {"Names": ["/cabestan-run-5-12.1.abc", "/x/y"]}
    forged = {"Names": ["/cabestan-9-shop-api-staging_web.1.abc"], "Labels": {"cabestan.run": "5"}}
    assert of_service([forged, other, own], "cabestan-run-5-1") == [own]


def test_labels_of_a_foreign_image_are_no_jobs_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(name: str, **labels: str) -> dict[str, Any]:
        return {"Names": [f"/{name}.1.abc"], "Labels": {f"cabestan.{key}": value for key, value in labels.items()}}

    containers = [
        listed("cabestan-job-7-2", job="7", attempt="2"),
        listed("cabestan-9-shop-api-staging_web", job="8", attempt="1"),
        listed("cabestan-9-shop-api-staging_web", job="no number"),
    ]
    answers = SimpleNamespace(services=lambda **_: [], secrets=lambda **_: [], containers=lambda **_: containers)
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(SimpleNamespace(api=answers)))
    assert JobContainers(Engine("unix:///nowhere"), "cabestan").left_over() == ((7, 2),)
