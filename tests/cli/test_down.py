"""What `down` stops beside the server."""

from pathlib import Path

import pytest
from tests.cli.conftest import Cli
from tests.engine.fakes import FakeBuilders
from tests.samples import NOW, build_spec, set_status
from tests.store.rows import make_pipeline, make_project

from cabestan.adapters.builders import BuilderSpec
from cabestan.bootstrap import open_store
from cabestan.cli import preparing
from cabestan.config import read_settings
from cabestan.domain.outbox import Subject
from cabestan.domain.status import RunStatus
from cabestan.errors import EngineUnavailable
from cabestan.store import pipelines

GO_ON = "Router, registry and all that is deployed go on.\n"


@pytest.fixture
def builders(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBuilders:
    """Those of an installation whose server does not run."""
    monkeypatch.setenv("CABESTAN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CABESTAN_CONFIG", "/dev/null")
    fake = FakeBuilders()
    monkeypatch.setattr(preparing, "Builders", lambda engine, instance: fake)
    return fake


def run(builders: FakeBuilders, *projects: int) -> None:
    for key in projects:
        builders.ensure(
            BuilderSpec("cabestan", key, "cabestan/builder:1", 5600, "127.0.0.1:8600", 1, 1, "internet"), in_use=False
        )


def test_idle_builders_are_stopped_and_what_they_keep_stays(cli: Cli, builders: FakeBuilders) -> None:
    run(builders, 1, 2)
    done = cli("down")
    assert (done.code, done.out, done.err) == (
        0,
        "The server was not running.\nStopped 2 builders; what builders keep for the next build stays.\n" + GO_ON,
        "",
    )
    assert (builders.called("stop"), builders.called("forget"), builders.there) == ([[1], [2]], [], {})
    assert builders.called("close_gate") == [[]]


def test_a_builder_with_a_build_is_left_to_it(cli: Cli, builders: FakeBuilders) -> None:
    with open_store(read_settings()) as database, database.writing() as tx:
        rows = [make_project(tx, name) for name in ("shop/api", "shop/web")]
        pipeline = make_pipeline(tx, rows[1].project)
        pipelines.add_jobs(tx, pipeline, (build_spec("build"),), NOW)
        (job,) = pipelines.jobs_of(tx, pipeline.id)
        set_status(tx, Subject.JOB, job.id, RunStatus.RUNNING)
    run(builders, *(one.project.id for one in rows))
    assert cli("down").out == (
        "The server was not running.\nStopped 1 builder; what builders keep for the next build stays.\n"
        "Left 1 builder with a build under way, which `cabestan up` takes up again.\n" + GO_ON
    )
    assert list(builders.there) == [rows[1].project.id]
    assert builders.called("close_gate") == []


def test_where_there_are_none_nothing_is_made_or_said(cli: Cli, builders: FakeBuilders, tmp_path: Path) -> None:
    assert cli("down").out == "The server was not running.\n" + GO_ON
    assert not (tmp_path / "data").exists()


def test_an_engine_that_is_away_keeps_no_server_from_being_stopped(cli: Cli, builders: FakeBuilders) -> None:
    builders.fail("running", EngineUnavailable("The engine does not answer.", "Start it."))
    done = cli("down")
    assert (done.code, done.out) == (0, "The server was not running.\n" + GO_ON)
    assert done.err == "Builders may still run: The engine does not answer.\n"
