"""The Docker engine goes away and comes back: on an engine of the test's own."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.harness import Platform, eventually
from tests.integration.own_engine import OwnEngine
from tests.integration.samples import SMALL, counted, counting

pytestmark = pytest.mark.integration
_LINES = 600


@pytest.fixture(scope="module")
def engine() -> Iterator[OwnEngine]:
    engine = OwnEngine()
    try:
        engine.make()
        engine.start()
        engine.load()
        yield engine
    finally:
        engine.remove()


@pytest.fixture(scope="module")
def apart(engine: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform on that engine; it goes with the engine."""
    settings = {"router_address": engine.host, "engine_seconds": "60"}
    folder: Path = tmp_path_factory.mktemp("apart")
    platform = Platform(folder, settings, prefix=engine.prefix, host=engine.host, engine=engine.address)
    yield platform
    platform.close()


@pytest.fixture
def platform(engine: OwnEngine, apart: Platform) -> Iterator[Platform]:
    if not apart.token:
        apart.prepare()
    apart.start()
    yield apart
    apart.kill()


@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_a_build_is_run_again_when_its_engine_restarts(platform: Platform, engine: OwnEngine, how: str) -> None:
    work = platform.make_project(counting(_LINES, 8, uuid.uuid4().hex))
    pushed = work.push()
    assert pushed.pipeline
    eventually(lambda: _is_counting(platform, pushed.pipeline), 60, "the build counts")
    engine.kill() if how == "killed" else engine.stop()
    engine.start()
    pipeline = platform.wait_for_pipeline(pushed.pipeline, 120)
    assert (pipeline["status"], [(j["status"], j["attempt"]) for j in pipeline["jobs"]]) == (
        "succeeded",
        [("succeeded", 2)],
    )
    log = platform.log(pipeline["jobs"][0]["id"])
    first, again, second = log.partition("The job is run again.")
    assert again
    assert counted(first) == list(range(1, len(counted(first)) + 1))
    assert counted(second) == list(range(1, _LINES + 1))
    [staging] = platform.deployments(work.name, "staging")
    assert platform.wait_for_deployment(staging["id"], 90)["status"] == "succeeded"
    assert platform.ask(work.host("staging")).text.startswith("one staging")
    eventually(lambda: platform.left_over() == {}, 10, f"nothing is left over: {platform.left_over()}")


def _is_counting(platform: Platform, pipeline: int | None) -> bool:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return bool(jobs) and "counting 100" in platform.log(jobs[0]["id"])


def test_a_deployment_waits_for_an_engine_that_is_down(platform: Platform, engine: OwnEngine) -> None:
    work = platform.make_project(SMALL)
    waiting = work.pushed_to("production")
    platform.wait_for_deployment(platform.deployments(work.name, "staging")[0]["id"])
    fingerprint = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    engine.stop()
    answer = platform.http.get(f"/api/v1/projects/{work.name}/environments/staging")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
    platform.post(f"/deployments/{waiting['id']}/approve", {"fingerprint": fingerprint})
    assert platform.get(f"/deployments/{waiting['id']}")["status"] in ("queued", "running")
    engine.start()
    assert platform.wait_for_deployment(waiting["id"], 90)["status"] == "succeeded"
    eventually(lambda: platform.ask(work.host("production")).text.startswith("one production"), 30, "it answers")


def test_a_server_that_starts_while_its_engine_is_down_goes_on_when_it_is_back(
    platform: Platform, engine: OwnEngine
) -> None:
    work = platform.make_project(SMALL)
    engine.stop()
    pushed = work.push()
    platform.restart()
    engine.start()
    assert pushed.pipeline
    assert platform.wait_for_pipeline(pushed.pipeline, 90)["status"] == "succeeded"
