"""What goes on over a restart of the server, and what a person ends or begins again."""

import uuid

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import DOCKERFILE, SMALL, counted, counting, unbuilt

from cabestan.domain.pipeline import ScriptJob
from cabestan.domain.status import RunStatus
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store
from cabestan.store.database import Database
from cabestan.testing import STEPS

pytestmark = pytest.mark.integration
_SCRIPT_IMAGE = "cabestan/builder:1"


@pytest.fixture(scope="module")
def project(prepared: Platform) -> Work:
    """One for all builds of these tests, for its builder stays warm."""
    if prepared.died:
        prepared.start()
    return prepared.make_project({})


@pytest.fixture
def work(platform: Platform, project: Work) -> Work:
    project.clear()
    return project


def run_script(platform: Platform, work: Work, script: str) -> int:
    """A pipeline of one script job on the project's newest commit, put into the database; the pipeline's id."""
    former = platform.pipelines(work.name)[0]["id"]
    platform.kill()
    database = Database(platform.database_url)
    with database.writing() as tx:
        pipeline = store.get(tx, former)
        project = project_store.by_id(tx, pipeline.project_id)
        event = platform.rows("select max(id) from events")[0][0]
        fresh = pipeline.evolve(status=RunStatus.RUNNING, project_id=project.id)
        made = store.create(tx, fresh, event)
        spec = ScriptJob("script", "test", image=_SCRIPT_IMAGE, script=script)
        store.add_jobs(tx, made, (spec,), pipeline.created_at)
    database.close()
    platform.start()
    return made.id


def _only_job(platform: Platform, pipeline: int) -> dict[str, object]:
    [job] = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return dict(job)


def _is_running(platform: Platform, pipeline: int, line: str) -> bool:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return bool(jobs) and line in platform.log(jobs[-1]["id"])


def test_what_waits_for_approval_still_does_after_a_restart(platform: Platform) -> None:
    work = platform.make_project(unbuilt())
    waiting = work.pushed_to("production")
    seen = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    platform.restart()
    assert platform.get(f"/deployments/{waiting['id']}")["status"] == "waiting"
    platform.post(f"/deployments/{waiting['id']}/approve", {"fingerprint": seen})
    platform.succeeds(waiting["id"])
    assert platform.ask(work.host("production")).text == f"one production {waiting['commit']}"


def test_an_approval_is_not_lost_by_a_kill_right_after_it(platform: Platform) -> None:
    work = platform.make_project(unbuilt())
    waiting = work.pushed_to("production")
    seen = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    platform.post(f"/deployments/{waiting['id']}/approve", {"fingerprint": seen})
    platform.restart()
    platform.succeeds(waiting["id"])


def test_pushes_that_are_under_way_all_end_after_a_restart_and_the_newest_serves(
    platform: Platform, work: Work
) -> None:
    work.files = counting(100, 2, uuid.uuid4().hex)
    first = work.push()
    work.files = counting(100, 2, uuid.uuid4().hex)
    second = work.push()
    platform.restart()
    for pushed in (first, second):
        assert pushed.pipeline
        assert platform.wait_for_pipeline(pushed.pipeline, 120)["status"] == "succeeded"
    eventually(lambda: _settled(platform, work), 60, "the deployments end")
    serving = platform.get(f"/projects/{work.name}/environments/staging")
    assert (serving["commit"], serving["status"]) == (second.commit, "succeeded")
    platform.becomes_tidy()


def _settled(platform: Platform, work: Work) -> bool:
    return all(d["status"] in ("succeeded", "superseded") for d in platform.deployments(work.name, "staging"))


def test_a_canceled_job_stops_and_leaves_nothing(platform: Platform, work: Work) -> None:
    work.files = counting(2000, 60, uuid.uuid4().hex)
    pushed = work.push()
    assert pushed.pipeline
    eventually(lambda: _is_running(platform, pushed.pipeline, "counting 20"), 60, "it counts")  # type: ignore[arg-type]
    platform.post(f"/pipelines/{pushed.pipeline}/cancel")
    ended = platform.wait_for_pipeline(pushed.pipeline, 30)
    assert (ended["status"], [job["status"] for job in ended["jobs"]]) == ("canceled", ["succeeded", "canceled"])
    assert "Canceled." in platform.log(ended["jobs"][-1]["id"])
    platform.becomes_tidy()
    assert pushed.commit not in [deployment["commit"] for deployment in platform.deployments(work.name)]


def test_a_cancel_is_not_forgotten_over_a_kill(platform: Platform, work: Work) -> None:
    work.files = counting(2000, 60, uuid.uuid4().hex)
    pushed = work.push()
    assert pushed.pipeline
    eventually(lambda: _is_running(platform, pushed.pipeline, "counting 20"), 60, "it counts")  # type: ignore[arg-type]
    platform.post(f"/pipelines/{pushed.pipeline}/cancel")
    platform.restart()
    assert platform.wait_for_pipeline(pushed.pipeline, 30)["status"] == "canceled"
    platform.becomes_tidy()


def test_a_failed_pipeline_runs_again(platform: Platform, work: Work) -> None:
    """The second try finds the file that made the first one fail gone."""
    work.files = SMALL | {"Dockerfile": DOCKERFILE.replace("USER", "RUN exit 3\nUSER")}
    pushed = work.push()
    assert pushed.pipeline
    failed = platform.wait_for_pipeline(pushed.pipeline)
    assert (failed["status"], failed["jobs"][-1]["attempt"]) == ("failed", 1)
    platform.post(f"/pipelines/{pushed.pipeline}/retry")
    again = platform.wait_for_pipeline(pushed.pipeline)
    assert (again["status"], again["jobs"][-1]["attempt"]) == ("failed", 2)
    platform.becomes_tidy()


def test_a_script_prints_on_while_the_server_is_away(platform: Platform) -> None:
    work = platform.make_project(unbuilt())
    work.deployed()
    script = 'for i in $(seq 400); do echo "# counting $i"; sleep 0.01; done'
    pipeline = run_script(platform, work, script)
    eventually(lambda: _is_running(platform, pipeline, "counting 50"), 30, "it counts")
    platform.kill()
    eventually(lambda: _exited(platform), 30, "the script ends without the server")
    platform.start()
    platform.wait_for_pipeline(pipeline)
    job = _only_job(platform, pipeline)
    assert (job["status"], job["attempt"]) == ("succeeded", 1)
    assert counted(platform.log(int(str(job["id"])))) == list(range(1, 401))
    platform.becomes_tidy()


def _exited(platform: Platform) -> bool:
    label = {"label": [f"cabestan.instance={platform.instance}", "cabestan.job"]}
    return [c.status for c in platform.client.containers.list(all=True, filters=label, ignore_removed=True)] == [
        "exited"
    ]


def test_the_names_of_all_steps_are_known_here() -> None:
    """So that a new step is killed at too."""
    import re
    from pathlib import Path

    import cabestan.engine

    folder = Path(cabestan.engine.__file__).parent
    code = "".join(path.read_text() for path in folder.rglob("*.py"))
    written = set(re.findall(r'step\(\s*f?"([a-z]+\.[a-z{}.-]+)"', code))
    assert written - {"deployment.{planned.kind}", "database.{name}", "deletion.{name}"} <= set(STEPS)
    assert "deployment.put-back" in written
