"""Base images that a pushed project asks for, on a real engine: built once and told in the log, whatever is killed."""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound
from tests.integration.harness import CHECKOUT, Platform, Work, eventually

pytestmark = pytest.mark.integration

#: images are made one after the other, perhaps behind those of another test
SECONDS = 180

DOCKERFILE = "FROM {base}\nUSER 1001\n"


@dataclass
class Kitchen:
    """A platform with a copy of the checkout's catalogue, and recipes of these tests in it."""

    platform: Platform
    folder: Path
    #: two projects, whose builders stay warm
    works: tuple[Work, Work]
    made: list[str]

    def recipe(self, run: str) -> str:
        """A new recipe on top of Debian, of which the engine has no layer from before; its reference."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        (self.folder / name).mkdir()
        text = f"# cabestan/{name}\n# VERSION 1\nFROM cabestan/debian:12\nRUN : {name} && {run}\n"
        (self.folder / name / "Dockerfile").write_text(text)
        self.made.append(f"cabestan/{name}:1")
        return self.made[-1]

    def push(self, base: str, project: int = 0) -> int:
        """What begins with the image; the pipeline."""
        self.works[project].files = {"Dockerfile": DOCKERFILE.format(base=base)}
        pushed = self.works[project].push()
        assert pushed.pipeline, pushed.output
        return pushed.pipeline

    def job(self, pipeline: int) -> dict[str, Any]:
        """The one that builds, once it has begun."""

        def begun() -> Any:
            jobs = self.platform.get(f"/pipelines/{pipeline}")["jobs"]
            return next((job for job in jobs if job["name"] == "build" and job["status"] != "created"), None)

        job: dict[str, Any] = eventually(begun, SECONDS, "the job begins")
        return job

    def ended(self, pipeline: int) -> dict[str, Any]:
        return self.platform.wait_for_pipeline(pipeline, SECONDS)

    def built(self) -> dict[str, int]:
        """How often the log of each job, over all pipelines, tells that an image was finished."""
        jobs = [row[0] for row in self.platform.rows("select id from jobs")]
        lines = [line for job in jobs for line in self.platform.log(job).splitlines()]
        return {made: lines.count(f"{made.partition('/')[2].partition(':')[0]}: built") for made in self.made}


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory, prepared: Platform) -> Iterator[Kitchen]:
    folder = tmp_path_factory.mktemp("kitchen") / "images"
    shutil.copytree(CHECKOUT / "images", folder)
    with prepared.served_with(images=str(folder)):
        kitchen = Kitchen(prepared, folder, (prepared.make_project({}), prepared.make_project({})), [])
        yield kitchen
    for reference in kitchen.made:
        with suppress(ImageNotFound):
            prepared.client.images.remove(reference, force=True)


def test_two_pushes_that_need_an_image_build_it_once_and_say_so(kitchen: Kitchen) -> None:
    base = kitchen.recipe("echo from the kitchen && sleep 1")
    pipelines = [kitchen.push(base), kitchen.push(base.removesuffix(":1"), project=1)]
    ended = [kitchen.ended(pipeline) for pipeline in pipelines]
    assert [(one["status"], one["reason"]) for one in ended] == [("succeeded", "")] * 2
    assert kitchen.built()[base] == 1
    name = base.partition("/")[2].removesuffix(":1")
    logs = [kitchen.platform.log(kitchen.job(pipeline)["id"]) for pipeline in pipelines]
    assert any(f"Building {base}: this machine does not have it yet" in log for log in logs)
    (log,) = (log for log in logs if f"\n{name}: from the kitchen\n" in log)
    assert log.index(f"{name}: built") < log.index("docker build")


def test_an_image_that_cannot_be_built_fails_the_job_with_its_last_words(kitchen: Kitchen) -> None:
    base = kitchen.recipe("echo the last words && exit 3")
    ended = kitchen.ended(kitchen.push(base))
    assert ended["status"] == "failed"
    assert f"The base image {base}" in ended["reason"]
    assert "the last words" in ended["reason"]


def test_an_unknown_image_fails_the_pipeline_with_the_known_ones(kitchen: Kitchen) -> None:
    ended = kitchen.ended(kitchen.push("cabestan/cobol:60"))
    assert (ended["status"], [job for job in ended["jobs"] if job["kind"] == "build"]) == ("failed", [])
    assert "Dockerfile:1" in ended["reason"]
    assert "cabestan/cobol:60 is no base image of this platform." in ended["reason"]
    assert "cabestan/node:18, " in ended["reason"]


def test_a_server_that_is_killed_while_it_builds_an_image_goes_on(kitchen: Kitchen) -> None:
    base = kitchen.recipe("echo begun && sleep 3")
    pipeline = kitchen.push(base)
    job = kitchen.job(pipeline)
    eventually(lambda: ": begun" in kitchen.platform.log(job["id"]), SECONDS, "the image is being built")
    kitchen.platform.restart()
    assert (kitchen.ended(pipeline)["status"], kitchen.job(pipeline)["attempt"]) == ("succeeded", 1)
    assert kitchen.built()[base] == 1
    kitchen.platform.becomes_tidy()


def test_a_job_that_is_canceled_does_not_wait_for_its_image(kitchen: Kitchen) -> None:
    base = kitchen.recipe("echo begun && sleep 60")
    pipeline = kitchen.push(base)
    job = kitchen.job(pipeline)
    eventually(lambda: ": begun" in kitchen.platform.log(job["id"]), SECONDS, "the image is being built")
    kitchen.platform.post(f"/pipelines/{pipeline}/cancel")
    assert kitchen.ended(pipeline)["status"] == "canceled"
    # what was begun ends with the server, and leaves nothing
    kitchen.platform.restart()
    kitchen.platform.becomes_tidy()


def test_the_command_line_lists_and_builds_them(kitchen: Kitchen) -> None:
    base = kitchen.recipe("true")
    assert command(kitchen, "build", base).stderr.endswith(f"Built {base}.\n")
    assert command(kitchen, "build", base).stderr.endswith("All of them are there.\n")
    assert state(kitchen, base) == "built"
    (kitchen.folder / base.partition("/")[2].removesuffix(":1") / "more").touch()
    assert state(kitchen, base) == "outdated"
    refused = command(kitchen, "build", "cobol", code=1)
    assert "There is no base image cobol.\nhint: There are: debian, base, " in refused.stderr
    [(remembered,)] = kitchen.platform.rows("select value from facts where name = 'built images'")
    assert base in json.loads(remembered)


def command(kitchen: Kitchen, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "cabestan", "image", *words]
    environment = kitchen.platform.environment
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == code, done.stderr
    return done


def state(kitchen: Kitchen, reference: str) -> str:
    entries = json.loads(command(kitchen, "list", "--json").stdout)
    return {entry["reference"]: entry["state"] for entry in entries}[reference]
