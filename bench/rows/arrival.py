"""A changed line, from `git push` until staging has its release, beside a script that does the same by hand."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import docker_cli, projects
from bench.api import Api
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.rounds import rounds
from bench.rows.builds import hello
from bench.rows.deploying import monitor, renamed
from bench.time_limits import until
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.vault import Vault, read_key
from cabestan.domain.registry_access import Access
from cabestan.engine.building.pipelines import JOB_IMAGE
from cabestan.engine.registry_login import PURPOSE

ROUNDS = 5
LIMIT = 1.3
_PROJECT, _BY_HAND = "bench/arrival", "bench/by-hand"
_AT = f"/projects/{_PROJECT}/environments/staging"
_DEADLINE = 120
#: for all rounds
_SECONDS = 240
_SCRIPT = """
set -e
git clone --quiet "$URL" source
echo "# by hand: $LINE" >> source/app.py
docker exec "$CLIENT" docker build --quiet --tag "$IMAGE" "$FOLDER/source"
docker exec "$CLIENT" docker push --quiet "$IMAGE"
pushed=$(docker image inspect --format '{{index .RepoDigests 0}}' "$IMAGE")
sed "s|$RELEASED|$pushed|" released.yml > stack.yml
docker stack deploy --detach=false --compose-file stack.yml "$STACK"
"""


def measure(instance: Instance) -> list[Figure]:
    """The first release and the first stack are there; each round changes the last line of the application."""
    instance.api.post("/projects", name=_PROJECT)
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        _ours(instance.api, Path(folder), 0)
        stack = _stack(instance.api)
        instance.api.put(_AT, watch_seconds=monitor(stack))
        with _by_hand(instance, stack) as given:
            _bare(given, 0)
            for number in rounds(ROUNDS, _SECONDS):
                ours.append(_ours(instance.api, Path(folder), number))
                bare.append(_bare(given, number))
    note = f"watched for {monitor(stack)} s; a script that clones, builds, pushes and deploys the same stack file"
    return [side_by_side("git push until staging has it", ours, bare, limit=LIMIT, note=note)]


def _ours(api: Api, folder: Path, number: int) -> float:
    commit = projects.commit(folder, hello(number))
    began = time.monotonic()
    projects.send(api, _PROJECT, folder)
    until(lambda: api.get(_AT)["commit"] == commit, _DEADLINE, f"{commit} on staging")
    return time.monotonic() - began


def _stack(api: Api) -> str:
    return str(api.get(f"/deployments/{api.get(_AT)['deployment']}")["plan"]["stack"])


def _bare(given: Mapping[str, str], number: int) -> float:
    """In a folder that has the stack's file and no clone yet, as the script of a build server would begin."""
    folder = Path(given["FOLDER"])
    subprocess.run(["rm", "-rf", folder / "source"], check=True)
    began = time.monotonic()
    subprocess.run(
        ["bash", "-c", _SCRIPT],
        cwd=folder,
        env={**given, "LINE": str(number)},
        check=True,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
    )
    return time.monotonic() - began


@contextmanager
def _by_hand(instance: Instance, stack: str) -> Iterator[dict[str, str]]:
    """The script's environment, with all that is there before it begins: network, login, and the client that builds.

    The client is the jobs' own, in a container that waits: the host's may lack BuildKit.
    """
    name, label = f"{instance.name}-by-hand", f"{docker_cli.LABEL}={instance.name}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(_login(instance)))
        (Path(folder) / "released.yml").write_text(renamed(stack, name))
        docker_cli.docker("network", "create", "--driver", "overlay", "--attachable", "--label", label, f"{name}-net")
        docker_cli.docker(
            *("run", "--detach", "--init", "--name", name, "--label", label, "--network", "host"),
            *("--volume", "/var/run/docker.sock:/var/run/docker.sock", "--volume", f"{folder}:{folder}"),
            *("--env", "HOME=/tmp", "--env", f"DOCKER_CONFIG={folder}", "--env", "DOCKER_BUILDKIT=1"),
            *("--entrypoint", "sleep", JOB_IMAGE, "infinity"),
        )
        try:
            yield projects.environment(instance.api) | {
                "URL": f"{instance.url}/{_PROJECT}.git",
                "FOLDER": folder,
                "CLIENT": name,
                "IMAGE": f"{instance.registry}/{_BY_HAND}:latest",
                "RELEASED": released(stack),
                "STACK": name,
            }
        finally:
            docker_cli.docker("rm", "--force", name, check=False)
            docker_cli.remove_services(f"label=com.docker.stack.namespace={name}")
            docker_cli.docker("network", "rm", f"{name}-net", check=False)


def _login(instance: Instance) -> dict[str, Any]:
    login = RegistryLogin(instance.registry, Vault(read_key(instance.folder / "key")).derive(PURPOSE))
    return {"auths": {instance.registry: {"registrytoken": login.token([Access(_BY_HAND, ("pull", "push"))])}}}


def released(stack: str) -> str:
    """The image that the rendered file has of the release, by its digest."""
    found = re.search(r"image: [\"']?([^\s\"']+@sha256:[0-9a-f]{64})", stack)
    if not found:
        raise RuntimeError("the rendered file names no image by its digest")
    return found[1]
