"""From the trigger until the first line of the job's log is there."""

import subprocess
import time

from bench import docker_cli, projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.time_limits import until
from cabestan.engine.building.pipelines import JOB_IMAGE

ROUNDS = 9
LIMIT = 1.3
_PROJECT = "bench/trigger"
#: where a build finds the socket of its builder
_RUN_FOLDER = "/run/builder"


def measure(instance: Instance) -> list[Figure]:
    api = instance.api
    projects.create(api, _PROJECT)
    api.ended(f"/pipelines/{projects.push(api, _PROJECT, compose.one_image())}")
    _ours(api)
    _bare(instance.name, 0)
    ours, bare = [], []
    for number in range(ROUNDS):
        ours.append(_ours(api))
        bare.append(_bare(instance.name, number + 1))
    note = "after one round each to warm up"
    return [side_by_side("trigger to first log line", ours, bare, limit=LIMIT, note=note)]


def _ours(api: Api) -> float:
    """The follower learns the job from the pipeline, as every client must."""
    began = time.monotonic()
    pipeline = int(api.post(f"/projects/{_PROJECT}/pipelines")["id"])
    for _ in api.follow(api.first_job(pipeline)):
        break
    seconds = time.monotonic() - began
    api.cancel(pipeline)
    return seconds


def _bare(instance: str, number: int) -> float:
    name = f"{instance}-bare-{number}"
    labels = f"volume-label={docker_cli.LABEL}={instance}"
    mount = f"type=volume,source={instance}-bare-run,target={_RUN_FOLDER},volume-nocopy,{labels}"
    script = "echo first; sleep 60"
    began = time.monotonic()
    docker_cli.docker(
        *("service", "create", "--detach", "--quiet", "--mode", "replicated-job", "--name", name),
        *("--label", f"{docker_cli.LABEL}={instance}", "--container-label", f"{docker_cli.LABEL}={instance}"),
        *("--network", "host", "--tty", "--init", "--restart-condition", "none", "--mount", mount),
        *("--log-driver", "json-file", "--log-opt", "max-size=2g"),
        *("--no-resolve-image", "--entrypoint", "/bin/bash", JOB_IMAGE, "-c", script),
    )
    container = until(lambda: docker_cli.lines("ps", "--quiet", "--filter", f"name={name}."), 30, name, pause=0)[0]
    with subprocess.Popen(["docker", "logs", "--follow", container], stdout=subprocess.PIPE) as logs:
        assert logs.stdout
        logs.stdout.readline()
        seconds = time.monotonic() - began
        logs.terminate()
    docker_cli.remove_services(f"name={name}", force=True)
    return seconds
