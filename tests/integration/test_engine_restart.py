"""The Docker engine goes away and comes back: on an engine of the test's own."""

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.nodes import Node
from tests import samples
from tests.conftest import MakeDatabase
from tests.integration.conftest import ShareLayers
from tests.integration.harness import ENDED, Platform, Work, eventually
from tests.integration.own_engine import OwnEngine
from tests.integration.samples import COMPOSE, SMALL, counted, counting, unbuilt

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import JobContainer, JobContainers, JobRun, Limits
from cabestan.adapters.node_engines import NodeContainer, Nodes
from cabestan.adapters.once import Containers, containers_of
from cabestan.adapters.passing_faults import restarts
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.router import PlatformContainers
from cabestan.adapters.stack_runs import StackRun, StackRuns
from cabestan.adapters.stacks import Stacks
from cabestan.domain.outcome import Exit
from cabestan.engine.upkeep.platform import ensure_swarm
from cabestan.errors import EngineUnavailable

pytestmark = pytest.mark.integration
_LINES = 400
Started = tuple[Containers, JobRun | StackRun]
_SLOW = """\
  slow:
    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}
    labels:
      sh.factory.cronjob.schedule: "@yearly"
      sh.factory.cronjob.command: "echo begun; sleep 600"
"""


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
def apart(
    engine: OwnEngine, tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase
) -> Iterator[Platform]:
    """A platform on that engine; it goes with the engine."""
    database_url = by_socket(make_database(""))
    settings = {"router_address": engine.host, "engine_seconds": "60", "database_url": database_url}
    folder: Path = tmp_path_factory.mktemp("apart")
    platform = Platform(folder, settings, prefix=engine.prefix, host=engine.host, engine=engine.address)
    yield platform
    platform.close()


def by_socket(database_url: str) -> str:
    """PostgreSQL's socket, for its address is not reached from the engine's network; files are, as they are."""
    url = sa.engine.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return database_url
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        folder = connection.exec_driver_sql("SHOW unix_socket_directories").scalar_one()
    engine.dispose()
    return f"postgresql://{url.username}@/{url.database}?host={folder}&port={url.port}"


@pytest.fixture
def platform(engine: OwnEngine, apart: Platform, share_layers: ShareLayers) -> Iterator[Platform]:
    if not apart.token:
        apart.prepare()
        share_layers(apart, "python:3.11")
    apart.start()
    yield apart
    apart.kill()


def test_all_who_prepare_at_once_share_one_swarm_that_is_waited_for(engine: OwnEngine) -> None:
    """First, for nobody has made one on this engine yet."""

    def ensured() -> bool:
        speaker = Engine(engine.address)
        with closing(speaker.client):
            return ensure_swarm(speaker)

    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(ensured) for _ in range(4)]
    assert sorted(each.result() for each in made) == [False, False, False, True]
    engine.stop()
    engine.start()
    assert ensured() is False


def test_a_job_asks_no_hub_for_its_image(platform: Platform, engine: OwnEngine) -> None:
    """It would wait 20 s here, where no name is told, and elsewhere run what a stranger put there."""
    pushed = platform.make_project(SMALL).push()
    assert platform.wait_for_pipeline(pushed.pipeline)["status"] == "succeeded"
    assert "registry-1.docker.io" not in (engine.folder / "log").read_text()


def test_a_build_is_run_again_when_its_engine_crashes(platform: Platform, engine: OwnEngine) -> None:
    work = platform.make_project(counting(_LINES, 8, uuid.uuid4().hex))
    pushed = work.push()
    eventually(lambda: _is_counting(platform, pushed.pipeline), 60, "the build counts")
    engine.kill()
    engine.start()
    _is_run_again(platform, pushed.pipeline)
    [staging] = platform.deployments(work.name, "staging")
    platform.succeeds(staging["id"], 90)
    assert platform.ask(work.host("staging")).text.startswith("one staging")
    platform.becomes_tidy()


def test_all_that_is_under_way_waits_for_an_engine_that_is_restarted(platform: Platform, engine: OwnEngine) -> None:
    """A build, and a deployment that is approved meanwhile; the server is killed too, and starts without an engine."""
    deployed = platform.make_project(unbuilt())
    waiting = deployed.pushed_to("production")
    platform.wait_for_deployment(platform.deployments(deployed.name, "staging")[0]["id"])
    fingerprint = platform.get(f"/deployments/{waiting['id']}")["plan"]["fingerprint"]
    building = platform.make_project(counting(_LINES, 8, uuid.uuid4().hex))
    pushed = building.push()
    eventually(lambda: _is_counting(platform, pushed.pipeline), 60, "the build counts")
    engine.stop()
    answer = platform.http.get(f"/api/v1/projects/{deployed.name}/environments/staging")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")
    eventually(lambda: _state(platform, deployed) == "unknown", 20, "nobody can tell how staging does")
    platform.post(f"/deployments/{waiting['id']}/approve", {"fingerprint": fingerprint})
    platform.restart()
    assert platform.get(f"/deployments/{waiting['id']}")["status"] in ("queued", "running")
    engine.start()
    platform.succeeds(waiting["id"], 90)
    eventually(lambda: platform.ask(deployed.host("production")).text.startswith("one production"), 30, "it answers")
    eventually(lambda: _state(platform, deployed) == "serving", 30, "staging is seen to serve again")
    _is_run_again(platform, pushed.pipeline)
    platform.becomes_tidy()


def test_what_ended_while_the_server_was_away_is_not_begun_again_by_the_engine(
    platform: Platform, engine: OwnEngine
) -> None:
    """A build is one attempt more, and a run is not tried again."""
    scheduled = platform.make_project(unbuilt(SMALL | {"docker-compose.yml": COMPOSE + _SLOW}))
    scheduled.goes_live()
    [schedule] = platform.get(f"/projects/{scheduled.name}/schedules", environment="staging")["items"]
    run = platform.post(f"/schedules/{schedule['id']}/run")["id"]
    eventually(lambda: "begun" in _run_log(platform, run), 60, "the run begins")
    pushed = platform.make_project(counting(_LINES, 8, uuid.uuid4().hex)).push()
    eventually(lambda: _is_counting(platform, pushed.pipeline), 60, "the build counts")
    platform.kill()
    job, ended_run = _kill_one(platform, "job"), _kill_one(platform, "run")
    run_service = str(ended_run.labels["com.docker.swarm.service.id"])
    eventually(lambda: _tasks(platform, run_service) == ["failed"], 30, "Swarm knows")
    engine.stop()
    engine.start()
    assert _tasks(platform, run_service) == ["failed"]
    job.reload()
    assert job.status == "exited"
    platform.start()
    _is_run_again(platform, pushed.pipeline)
    ended = eventually(lambda: _ended_run(platform, run), 60, "the run ends")
    assert (ended["status"], ended["attempt"]) == ("failed", 1)
    assert "ended from outside" in ended["reason"]
    assert _run_log(platform, run).count("begun") == 1
    platform.becomes_tidy()


def _kill_one(platform: Platform, what: str) -> Container:
    """The container of a job or a run that goes on."""
    label = [f"cabestan.instance={platform.instance}", f"cabestan.{what}"]
    container: Container
    [container] = platform.client.containers.list(filters={"label": label})
    container.kill()
    return container


def _tasks(platform: Platform, service: str) -> list[str]:
    """How they stand; each had a container."""
    return [task["Status"]["State"] for task in platform.client.api.tasks(filters={"service": service})]


def _run_log(platform: Platform, run: int) -> str:
    return platform.http.get(f"/api/v1/runs/{run}/log").text


def _ended_run(platform: Platform, run: int) -> dict[str, Any] | None:
    found: dict[str, Any] = platform.get(f"/runs/{run}")
    return found if found["status"] in ENDED else None


def test_a_network_that_could_not_be_joined_is_joined_at_the_next_try(engine: OwnEngine) -> None:
    """As where Swarm has no address for the node yet: one that is drained gets none."""
    own = Engine(engine.address)
    name = f"t{uuid.uuid4().hex[:7]}"
    with closing(own.client) as client:
        ensure_swarm(own)
        network = client.networks.create(f"{name}-net", driver="overlay", attachable=True)
        container = client.containers.run("cabestan/debian:12", "sleep 600", name=name, detach=True, init=True)
        (node,) = client.nodes.list()
        try:
            joining = PlatformContainers(own, name)
            eventually(lambda: _becomes(node, "drain"), 20, "the node is drained")
            with pytest.raises(EngineUnavailable):
                joining.join(name, network.name)
            eventually(lambda: _becomes(node, "active"), 20, "the node takes tasks again")
            own.patiently(lambda: joining.join(name, network.name), 60)
            assert network.name in joining.networks(name)
        finally:
            container.remove(force=True)
            network.remove()


def test_a_stack_is_handed_over_when_the_engine_is_back(engine: OwnEngine, tmp_path: Path) -> None:
    """It went away from the client that does so; nothing else asks the engine here."""
    own = Engine(engine.address)
    name = f"t{uuid.uuid4().hex[:7]}"
    stacks = Stacks(Nodes(own), name, RegistryLogin("127.0.0.1:5600", "x"), tmp_path)
    document = 'version: "3.8"\nservices: {app: {image: "cabestan/debian:12", deploy: {replicas: 0}}}\n'
    with closing(own.client), ThreadPoolExecutor(1) as pool:
        ensure_swarm(own)
        engine.kill()
        with pytest.raises(EngineUnavailable):
            stacks.deploy(name, document, {}, 60)
        handed_over = pool.submit(own.patiently, lambda: stacks.deploy(name, document, {}, 60), 90)
        engine.start()
        try:
            handed_over.result(120)
            assert [service.name for service in stacks.state(name).services] == ["app"]
        finally:
            own.patiently(lambda: stacks.remove(name, None), 30)


def test_what_was_being_made_when_its_engine_died_runs_once(engine: OwnEngine) -> None:
    """Whatever the engine says of it: the network is not there any more, the name is taken, the container exists.

    Of a job there is one container, whether it was begun before or after. What an engine refuses that was there all the
    time is told at once.
    """
    own = Engine(engine.address)
    name = f"t{uuid.uuid4().hex[:7]}"
    jobs, runs = JobContainers(Nodes(own), name), StackRuns(Nodes(own), name, RegistryLogin("127.0.0.1:5600", "x"))
    stack = {"networks": {"default": {"external": True, "name": f"{name}-net"}}}
    started: list[Started] = []
    with closing(own.client) as client, ThreadPoolExecutor(1) as pool:
        ensure_swarm(own)
        network = client.networks.create(f"{name}-net", driver="overlay", attachable=True)
        image = client.images.get("cabestan/debian:12").id
        says = {"image": image, "entrypoint": ["echo", "ran"], "networks": ["default"]}
        mount = {"type": "bind", "source": "/no", "target": "/b"}
        refused = StackRun(name, 9, 1, says | {"volumes": [mount]}, stack, {})
        try:
            for number in range(1, 4):
                started.append((runs, StackRun(name, number, 1, says, stack, {})))
                runs.start(started[-1][1], lambda: None)
            job, made_of = JobRun(name, samples.job(), 1), JobContainer("cabestan/debian:12", ("true",), {}, Limits(60))
            begun = pool.submit(own.patiently, lambda: jobs.start(job, made_of, None), 60)
            eventually(lambda: "preparing" in _states(client, started), 30, "one is being made", 0.002)
            engine.kill()
            engine.start()
            assert [_told(own, containers, run) for containers, run in started] == ["ran"] * 3
            begun.result(60)
            started.append((jobs, job))
            assert len(containers_of(client, job)) == 1
            assert isinstance(jobs.container(job, given_up=lambda: False), NodeContainer)
            started.append((runs, refused))
            runs.start(refused, lambda: None)
            ended = runs.container(refused, given_up=lambda: False)
            assert isinstance(ended, Exit), ended
            assert (ended.code, "invalid mount" in ended.error) == (None, True), ended
            assert restarts(client.api.inspect_service(refused.name)["Spec"]["TaskTemplate"]) == 0
        finally:
            for containers, run in started:
                own.patiently(partial(containers.remove, run), 30)
            eventually(lambda: _is_gone(network), 30, "the network goes")


def _states(client: DockerClient, started: Sequence[Started]) -> list[str]:
    names = {run.name for _, run in started}
    ids = {service["ID"] for service in client.api.services() if service["Spec"]["Name"] in names}
    return [task["Status"]["State"] for task in client.api.tasks() if task["ServiceID"] in ids]


def _told(own: Engine, containers: Containers, run: JobRun | StackRun) -> str:
    """What all of its containers said, once the one that counts has ended well."""
    container = own.patiently(lambda: containers.container(run, given_up=lambda: False), 60)
    assert isinstance(container, NodeContainer), container
    assert eventually(lambda: containers.exit_of(container), 30, f"{run.name} ends") == Exit(0)
    made = containers_of(own.client, run)
    return "".join(own.client.api.logs(one["Id"]).decode() for one in made if one["State"] != "created").strip()


def _is_gone(network: Network) -> bool:
    try:
        network.remove()
    except APIError as error:
        return isinstance(error, NotFound)
    return True


def _becomes(node: Node, availability: str) -> bool:
    """False where Swarm changed it between the look and the update."""
    node.reload()
    try:
        return bool(node.update({**node.attrs["Spec"], "Availability": availability}))
    except APIError as error:
        if "out of sequence" not in str(error):
            raise
        return False


def _is_counting(platform: Platform, pipeline: int | None) -> bool:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return bool(jobs) and "counting 100" in platform.log(jobs[-1]["id"])


def _is_run_again(platform: Platform, pipeline: int | None) -> None:
    """The whole build a second time, and the log tells so."""
    assert pipeline
    ended = platform.wait_for_pipeline(pipeline, 120)
    log = platform.log(ended["jobs"][-1]["id"])
    assert (ended["status"], [job["attempt"] for job in ended["jobs"]]) == ("succeeded", [1, 2]), log
    first, again, second = log.partition("The job is run again.")
    assert again
    assert counted(first) == list(range(1, len(counted(first)) + 1))
    assert counted(second) == list(range(1, _LINES + 1))


def _state(platform: Platform, work: Work) -> str:
    """Of staging, as it is seen."""
    return str(platform.get(f"/projects/{work.name}/environments")["items"][0]["state"])
