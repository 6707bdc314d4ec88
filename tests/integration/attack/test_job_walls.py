"""What a job's own container reaches: nothing by an address, whatever runs in it."""

import uuid

import pytest
from docker.models.containers import Container
from tests import samples
from tests.integration.attack.probe import answers
from tests.integration.harness import Platform, eventually, said_inside
from tests.integration.samples import counted, counting, unbuilt

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.job_containers import JobContainers, JobRun
from cabestan.adapters.node_engines import NodeContainer, Nodes
from cabestan.adapters.swarm_services import create_service
from cabestan.domain import docker_names
from cabestan.domain.outcome import Exit
from cabestan.domain.pipeline import ScriptJob
from cabestan.domain.status import RunStatus
from cabestan.store import pipelines as store
from cabestan.store.database import Database

pytestmark = pytest.mark.integration
_INTERFACES = r"sed -n 's/^ *\([^ ]*\):.*/\1/p' /proc/net/dev"
_ASK = 'for p; do ! curl -s -m 3 -o /dev/null --noproxy "*" "http://$p/" || echo "$p"; done'


def test_a_build_and_a_script_reach_no_address_and_a_kill_of_the_server_stops_neither(platform: Platform) -> None:
    """Neither loopback services of the machine nor containers: a neighbour's builder and applications among them."""
    neighbour = platform.make_project(unbuilt())
    neighbour.deployed()
    work = platform.make_project(counting(2000, 20, uuid.uuid4().hex))
    pushed = work.push()
    assert pushed.pipeline
    eventually(lambda: _prints(platform, pushed.pipeline), 90, "it counts")
    build = platform.get(f"/pipelines/{pushed.pipeline}")["jobs"][-1]["id"]
    places = _places(platform)
    assert len(places) > 3
    assert _reached(_container(platform, build), places) == ("lo", "")
    assert _gate(_container(platform, build)) == ("200", "registry.sock server.sock")

    platform.kill()
    script = _stored_script(platform, pushed.pipeline)
    platform.start()
    eventually(lambda: _running(platform, script), 30, "the script runs")
    [job] = platform.get(f"/pipelines/{script}")["jobs"]
    container = _container(platform, job["id"])
    assert _reached(container, places) == ("lo", "")
    assert container.attrs["Mounts"] == []
    platform.post(f"/pipelines/{script}/cancel")

    ended = platform.wait_for_pipeline(pushed.pipeline, 120)
    assert [(one["status"], one["attempt"]) for one in ended["jobs"]] == [("succeeded", 1)] * 2
    assert counted(platform.log(build)) == list(range(1, 2001))
    assert platform.wait_for_pipeline(script, 30)["status"] == "canceled"
    platform.becomes_tidy()


def _places(platform: Platform) -> list[str]:
    """What answers on the machine: at its loopback address, and in the containers of the installation."""
    own = [f"127.0.0.1:{port}" for port in (platform.port, platform.registry_port, platform.router_port)]
    label = {"label": f"cabestan.instance={platform.instance}"}
    networks = [c.attrs["NetworkSettings"]["Networks"].values() for c in platform.client.containers.list(filters=label)]
    addresses = {network["IPAddress"] for of_one in networks for network in of_one if network["IPAddress"]}
    found = [*own, *(f"{address}:{port}" for address in sorted(addresses) for port in (5000, 8000))]
    return [place for place in found if answers(place)]


def _reached(container: Container, places: list[str]) -> tuple[str, str]:
    """The interfaces that it has, and those of the places that answer it."""
    interfaces = said_inside(container, "bash", "-c", _INTERFACES)
    code, output = container.exec_run(["bash", "-c", _ASK, "_", *places])
    assert code in (0, 1), output
    return interfaces, output.decode().strip()


def _gate(container: Container) -> tuple[str, str]:
    """How the server answers through it, and what is left of it when the job has tried to take it away."""
    ask = 'curl -s -o /dev/null -w "%{http_code}" --unix-socket /run/gate/server.sock http://server/api/v1/status'
    left = "rm -f /run/gate/*.sock 2>/dev/null; cd /run/gate && echo *"
    return said_inside(container, "bash", "-c", ask), said_inside(container, "bash", "-c", left)


def _container(platform: Platform, job: int) -> Container:
    found: Container = platform.client.containers.get(docker_names.once(platform.instance, "job", job, 1))
    return found


def _prints(platform: Platform, pipeline: int | None) -> bool:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return bool(jobs) and "counting 20" in platform.log(jobs[-1]["id"])


def _running(platform: Platform, pipeline: int) -> bool:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return bool(jobs) and "it runs" in platform.log(jobs[-1]["id"])


def _stored_script(platform: Platform, like: int) -> int:
    """A pipeline of one script job, put into the database of a server that is away; its id."""
    database = Database(platform.database_url)
    with database.writing() as tx:
        former = store.get(tx, like)
        event = platform.rows("select max(id) from events")[0][0]
        made = store.create(tx, former.evolve(status=RunStatus.RUNNING), event)
        script = ScriptJob("script", "test", image="cabestan/builder:1", script="echo it runs; exec sleep 600")
        store.add_jobs(tx, made, (script,), former.created_at)
    database.close()
    return made.id


def test_a_job_that_an_earlier_version_started_on_swarm_is_followed_and_taken_away(platform: Platform) -> None:
    run = JobRun(f"{platform.instance}-{uuid.uuid4().hex[:4]}", samples.job(id=900_000_001), 1)
    engine = Engine(platform.engine)
    jobs = JobContainers(Nodes(engine), run.instance)
    image = engine.client.images.get("cabestan/builder:1").id
    container = {"Image": image, "Command": ["bash", "-c", "echo done"], "Labels": run.labels, "TTY": True}
    template = {"ContainerSpec": container, "RestartPolicy": {"Condition": "none"}, "Networks": [{"Target": "host"}]}
    mode = {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}
    create_service(engine.client, run.name, template, {"Labels": run.labels, "Mode": mode})
    try:
        found = eventually(lambda: jobs.container(run, given_up=lambda: False), 30, "it runs")
        assert isinstance(found, NodeContainer), found
        assert eventually(lambda: jobs.exit_of(found), 30, "it ends") == Exit(0)
        assert jobs.left_over() == ((900_000_001, 1),)
    finally:
        jobs.remove(run)
    eventually(lambda: jobs.left_over() == (), 30, "it is gone")
    engine.client.close()
