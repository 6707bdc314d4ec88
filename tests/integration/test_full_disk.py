"""The disk that holds the data fills while a job runs: nothing is wedged, and all goes on when there is room again."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import MakeDatabase
from tests.integration.conftest import ShareLayers
from tests.integration.harness import Platform, eventually
from tests.integration.samples import counted, counting

from cabestan.adapters.registry import Registry

pytestmark = pytest.mark.integration
_LINES = 400
_SIZE = "48m"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own at the folder."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def cramped(
    tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase, share_layers: ShareLayers
) -> Iterator[Platform]:
    """Its data, its logs and the server's own log are on a small disk."""
    with small_disk(tmp_path_factory.mktemp("disk")) as disk:
        platform = Platform(disk, {"free_bytes": "0", "database_url": make_database("")})
        if platform.database_url.startswith("sqlite"):
            platform.settings.pop("database_url")  # in the data folder
        try:
            platform.prepare()
            share_layers(platform, "python:3.11")
            platform.start()
            yield platform
        finally:
            platform.remove()


def fill(folder: Path) -> Path:
    """To the last byte."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            blocks = iter(lambda size=size: bytes(size), None)
            with pytest.raises(OSError, match="No space left"):
                filler.writelines(blocks)
    return path


def test_a_disk_that_fills_in_the_middle_of_a_build_delays_it_and_loses_nothing(cramped: Platform) -> None:
    work = cramped.make_project(counting(_LINES, 8, uuid.uuid4().hex))
    pushed = work.push()
    assert pushed.pipeline
    path = f"/pipelines/{pushed.pipeline}"
    eventually(
        lambda: (jobs := cramped.get(path)["jobs"]) and "counting 100" in cramped.log(jobs[-1]["id"]), 60, "it counts"
    )
    build = cramped.get(path)["jobs"][-1]["id"]
    filler = fill(cramped.folder)
    registry = Registry(cramped.registry_login)
    eventually(lambda: registry.find(work.name, f"job-{build}-1"), 60, "the build pushes its image")
    assert cramped.get(path)["status"] == "running"
    if "database_url" not in cramped.settings:
        refused = cramped.http.post("/api/v1/projects", json={"name": "t/other"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "storage_full")
    os.unlink(filler)
    ended = cramped.wait_for_pipeline(pushed.pipeline, 60)
    assert ended["status"] == "succeeded", ended
    assert counted(cramped.log(ended["jobs"][-1]["id"])) == list(range(1, _LINES + 1))
    [staging] = cramped.deployments(work.name, "staging")
    cramped.succeeds(staging["id"], 60)
    cramped.becomes_tidy()


def test_what_is_pushed_or_asked_for_while_the_disk_is_full_is_refused_or_done_later(cramped: Platform) -> None:
    """Whatever the answer, nothing that was accepted stays behind once there is room."""
    work = cramped.make_project(counting(2, 0, uuid.uuid4().hex))
    commit = work.commit()
    filler = fill(cramped.folder)
    os.truncate(filler, os.path.getsize(filler) - (96 << 10))  # room for git's objects, hardly for more
    with work.push_in_background() as process:
        process.communicate(timeout=60)
    fill(cramped.folder)
    os.unlink(filler)
    if work.git("ls-remote", work.address.replace("http://", f"http://me:{cramped.token}@"), "main").strip():
        eventually(lambda: [p["commit"] for p in cramped.pipelines(work.name)] == [commit], 60, "it has its pipeline")
        assert cramped.wait_for_pipeline(cramped.pipelines(work.name)[0]["id"], 90)["status"] == "succeeded"
    else:
        assert cramped.pipelines(work.name) == []
