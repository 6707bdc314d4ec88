"""A stack of five services, from the wish until it is up, and an update of all of them."""

import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench import docker_cli, projects
from bench.api import Api
from bench.apps import compose
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.rounds import rounds

ROUNDS = 3
LIMIT, UPDATE_LIMIT = 1.15, 1.4
_PROJECT = "bench/five"
_DEADLINE = 120
#: for all rounds
_SECONDS = 200


def measure(instance: Instance) -> list[Figure]:
    """Each round a fresh environment, and a fresh stack and network for the bare tool."""
    api = instance.api
    projects.create(api, _PROJECT)
    projects.release(api, _PROJECT, compose.five_services())
    first: tuple[list[float], list[float]] = ([], [])
    update: tuple[list[float], list[float]] = ([], [])
    for number in rounds(ROUNDS, _SECONDS):
        for index, (fresh, again) in enumerate(_round(instance, api, number)):
            first[index].append(fresh)
            update[index].append(again)
    return [
        side_by_side("deploying 5 services", *first, limit=LIMIT, note="the plan's own watch time on both sides"),
        side_by_side(
            "updating 5 services",
            *update,
            limit=UPDATE_LIMIT,
            note="every service has new tasks; bare: the client, which watches none of it, and the watch time",
        ),
    ]


def _round(instance: Instance, api: Api, number: int) -> tuple[tuple[float, float], tuple[float, float]]:
    environment = f"r{number}"
    at = f"/projects/{_PROJECT}/environments/{environment}"
    api.put(at, trigger="manual")
    api.put(f"/projects/{_PROJECT}/variables/ROUND", value=f"{number}")
    watch = monitor(api.get(f"{at}/plan")["stack"])
    api.put(at, watch_seconds=watch)
    ours, stacks = [], []
    for turn in ("first", "again"):
        api.put(f"/projects/{_PROJECT}/variables/ROUND", value=f"{number} {turn}")
        seconds, stack = _deploy(api, at)
        ours.append(seconds)
        stacks.append(stack)
    docker_cli.remove_services(f"label=cabestan.environment={environment}")
    first, again = _bare(instance.name, number, stacks)
    return (ours[0], ours[1]), (first, again + watch)


def _deploy(api: Api, at: str) -> tuple[float, str]:
    """Seconds until succeeded, and the rendered file."""
    began = time.monotonic()
    made = api.post(f"{at}/deployments")
    ended = api.ended(f"/deployments/{made['id']}", _DEADLINE)
    seconds = time.monotonic() - began
    if ended["status"] != "succeeded":
        raise RuntimeError(f"The deployment {ended['status']}: {ended['reason']}")
    return seconds, str(ended["plan"]["stack"])


def _bare(instance: str, number: int, stacks: list[str]) -> tuple[float, float]:
    """The same two files, but for the names of network, routers and stack."""
    name = f"{instance}-bare{number}"
    network = f"{name}-net"
    label = f"{docker_cli.LABEL}={instance}"
    docker_cli.docker("network", "create", "--driver", "overlay", "--attachable", "--label", label, network)
    first, again = (_stack_deploy(name, renamed(stack, name)) for stack in stacks)
    docker_cli.remove_services(f"label=com.docker.stack.namespace={name}")
    docker_cli.docker("network", "rm", network, check=False)
    return first, again


def _stack_deploy(name: str, stack: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.yml"
        path.write_text(stack)
        command = ["docker", "stack", "deploy", "--detach=false", "--compose-file", str(path), name]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE)
        return time.monotonic() - began


def renamed(stack: str, name: str) -> str:
    """Another stack's file as this one's; its services answer to no route, for the host has one owner."""
    found = re.search(r"name: ([\w.-]+)-net\b", stack)
    if not found:
        raise RuntimeError("the rendered file names no network")
    return stack.replace(found[1], name).replace("traefik.enable: 'true'", "traefik.enable: 'false'")


def monitor(stack: str) -> int:
    """How long `docker stack deploy --detach=false` watches a service: what the file says, or 5 s."""
    found = re.search(r"monitor: [\"']?(\d+)s", stack)
    return int(found[1]) if found else 5
