"""A project that asks for more than there are places, and another one whose work goes on beside it."""

from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import pytest
from tests.integration.harness import Platform, eventually
from tests.integration.samples import SMALL

from cabestan.domain.pipeline import ScriptJob
from cabestan.domain.status import RunStatus
from cabestan.store import pipelines as store
from cabestan.store import projects as project_store
from cabestan.store.database import Database

pytestmark = pytest.mark.integration
_FLOOD = 12
#: far longer than the test: whoever waited for one of these would fail
_SLEEPS = ScriptJob("sleeps", "test", image="cabestan/job:1", script="exec sleep 3600")


def _stored(platform: Platform, project: str, like: int) -> list[int]:
    """Failed pipelines with a job that sleeps, on the commit of another pipeline; a retry has them begin."""
    with closing(Database(platform.database_url)) as database, database.writing() as tx:
        flooding, former = project_store.get(tx, project), store.get(tx, like)
        event = platform.rows("select max(id) from events")[0][0]
        fresh = former.evolve(status=RunStatus.FAILED, project_id=flooding.id, project=project)
        made = [store.create(tx, fresh, event) for _ in range(_FLOOD)]
        for pipeline in made:
            store.add_jobs(tx, pipeline, (_SLEEPS,), pipeline.created_at)
        return [pipeline.id for pipeline in made]


@pytest.fixture
def flooding(platform: Platform) -> Iterator[str]:
    """A project whose pipelines are all canceled at the end."""
    name = platform.make_project({}).name
    yield name
    for pipeline in platform.pipelines(name):
        with suppress(httpx.HTTPStatusError):  # it has ended
            platform.post(f"/pipelines/{pipeline['id']}/cancel")
    eventually(lambda: not _of(platform, name, "created", "running"), 60, "the flood ends")


def _of(platform: Platform, project: str, *statuses: str) -> list[int]:
    """The pipelines whose job stands so."""
    wanted = ", ".join(f"'{status}'" for status in statuses)
    of_project = f"project_id = (select id from projects where name = '{project}')"
    query = f"select pipeline_id from jobs where {of_project} and status in ({wanted}) order by id"
    return [int(key) for (key,) in platform.rows(query)]


def test_who_floods_the_platform_keeps_no_deployment_waiting_and_takes_turns_for_its_places(
    platform: Platform, flooding: str
) -> None:
    quiet = platform.make_project(SMALL)
    waiting = quiet.pushed_to("production")
    seen = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    places = int(platform.settings.get("parallel_jobs", "4"))

    for key in _stored(platform, flooding, platform.pipelines(quiet.name)[0]["id"]):
        platform.post(f"/pipelines/{key}/retry")
    eventually(lambda: len(_of(platform, flooding, "running")) == places, 60, "all places are taken")
    assert len(_of(platform, flooding, "created")) == _FLOOD - places

    platform.post(f"/deployments/{waiting['id']}/approve", {"fingerprint": seen})
    platform.succeeds(waiting["id"])

    pipeline = platform.post(f"/projects/{quiet.name}/pipelines", {"branch": "main"})["id"]
    jobs = lambda: {job["kind"]: job["status"] for job in platform.get(f"/pipelines/{pipeline}")["jobs"]}  # noqa: E731
    eventually(lambda: jobs() == {"lint": "succeeded", "build": "created"}, 30, "the checks take no place")
    former = _of(platform, flooding, "running")
    assert len(former) == places

    platform.post(f"/pipelines/{former[0]}/cancel")
    ended = platform.wait_for_pipeline(pipeline)  # it got that one place, or it would wait for an hour
    assert ended["status"] == "succeeded", ended
