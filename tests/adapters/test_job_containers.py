from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound, NotFound
from tests.samples import job

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import JobContainer, JobContainers, JobRun, Limits, Volume, config
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.once import of_service, parse_exit
from cabestan.domain.outcome import Exit
from cabestan.errors import StepFailed

IMAGE = "sha256:12ab"


RUN = JobRun("cabestan", job(id=5), 2)
PLAIN = JobContainer("cabestan/builder:1", ("bash", "-c", "echo one\necho two"), {"A": "1", "B": "x=y z"}, Limits(60))


def test_a_job_is_a_container_without_a_network() -> None:
    labels = {"cabestan.instance": "cabestan", "cabestan.job": "5", "cabestan.attempt": "2"}
    assert (RUN.name, RUN.labels) == ("cabestan-job-5-2", labels)
    assert config(RUN, PLAIN, IMAGE) == {
        "Image": IMAGE,
        "Entrypoint": ["bash", "-c", "echo one\necho two"],
        "Env": ["A=1", "B=x=y z"],
        "Labels": labels,
        "User": "",
        "Tty": True,
        "StopTimeout": 5,
        "HostConfig": {
            "NetworkMode": "none",
            "Init": True,
            "Mounts": [],
            "Memory": 0,
            "NanoCpus": 0,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "2g", "max-file": "1"}},
        },
    }


def test_a_job_gets_what_its_container_is_made_of() -> None:
    volumes = (Volume("sockets", "/run/builder"), Volume("gate", "/run/gate", read_only=True))
    made_of = replace(PLAIN, volumes=volumes, tmpfs=("/scratch",), user="1001", terminal=False)
    made_of = replace(made_of, network="own", limits=Limits(60, memory=2**20, cpus=0.5))
    plain, all_of_it = config(RUN, PLAIN, IMAGE), config(RUN, made_of, IMAGE)
    volume = {"Type": "volume", "VolumeOptions": {"NoCopy": True}}
    mounts = [
        volume | {"Source": "sockets", "Target": "/run/builder", "ReadOnly": False},
        volume | {"Source": "gate", "Target": "/run/gate", "ReadOnly": True},
        {"Type": "tmpfs", "Target": "/scratch"},
    ]
    bounds = {"NetworkMode": "own", "Mounts": mounts, "Memory": 2**20, "NanoCpus": 500_000_000}
    host = plain["HostConfig"] | bounds
    assert all_of_it == plain | {"User": "1001", "Tty": False, "HostConfig": host}


def engine_with(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> JobContainers:
    def unknown(_name: str) -> None:
        raise NotFound("no such service")

    api = SimpleNamespace(inspect_service=unknown, containers=lambda **_: [])
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(SimpleNamespace(api=api, **answers)))
    return JobContainers(Nodes(Engine("unix:///nowhere")), "cabestan")


def test_a_job_whose_image_is_not_here_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ImageNotFound("no such image")

    jobs = engine_with(monkeypatch, images=SimpleNamespace(get=missing))
    with pytest.raises(StepFailed, match=r"cabestan/builder:1 is not on this engine\. `cabestan up` builds it"):
        jobs.start(RUN, PLAIN, lambda: pytest.fail("a token was made"))


def test_a_job_with_more_than_a_process_can_be_given_is_refused_with_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    large = replace(PLAIN, environment={"LARGE": "x" * 140_000})
    with pytest.raises(StepFailed, match="cabestan-job-5-2 cannot be started: the variable LARGE has 140,006 bytes"):
        engine_with(monkeypatch).start(RUN, large, None)


def test_a_job_whose_container_is_gone_ended_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = engine_with(monkeypatch)
    assert jobs.container(RUN, given_up=lambda: False) == Exit(255, error="its container is gone")


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
    plain, longer = {"Names": ["/cabestan-run-5-1"]}, {"Names": ["/cabestan-run-5-10"]}
    assert of_service([forged, other, own, plain, longer], "cabestan-run-5-1") == [own, plain]


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
    assert JobContainers(Nodes(Engine("unix:///nowhere")), "cabestan").left_over() == ((7, 2),)
