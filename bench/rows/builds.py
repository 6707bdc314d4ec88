"""Building an image on the project's builder, beside the same client on the host's own engine."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from bench import docker_cli, projects
from bench.api import Api
from bench.figures import Figure, side_by_side
from bench.instance import Instance
from bench.rounds import rounds
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.vault import Vault, read_key
from cabestan.domain.registry_access import Access
from cabestan.engine.building.pipelines import JOB_IMAGE
from cabestan.engine.registry_login import PURPOSE

#: what builds took of the bare client's time while they ran on the host's own engine, in the same minutes
BEFORE = 1.35
WARM, COLD_SECONDS = 1.15 * BEFORE, 4.0
ROUNDS = 7
_COLD_ROUNDS = 2
_SECONDS = 150
_HELLO = Path(__file__).parents[2] / "examples/hello"
_BASE = "cabestan/python:3.11"
_MOUNTS = ("/var/run/docker.sock:/var/run/docker.sock", "{}:/source:ro")
_SCRIPT = """
set -e
export HOME=/tmp DOCKER_CONFIG=/source/login DOCKER_BUILDKIT=1
docker build --quiet --tag "$NAME" /source/context
docker push --quiet "$NAME"
"""


def measure(instance: Instance) -> list[Figure]:
    """Each round changes what the image's last layer is made of."""
    project, layers = "bench/hello", "bench/layers"
    found = [_compared(instance, "build of examples/hello, warm builder", project, hello)]
    found.append(_compared(instance, "build of ten layers, warm builder", layers, _ten_layers))
    warm = found[0].value or 0
    cold = min(_after(instance, project, 100 + number, _stop_builders) for number in range(_COLD_ROUNDS))
    first = min(_after(instance, project, 200 + number, _forget_builders) for number in range(_COLD_ROUNDS))
    note = f"less the warm one's median; the better of {_COLD_ROUNDS}"
    return [
        *found,
        Figure(
            "more for a cold builder", cold - warm, "s", limit=COLD_SECONDS, note=f"stopped as an idle one is, {note}"
        ),
        Figure("more for a project's first build", first - warm, "s", note=f"neither cache nor base image, {note}"),
    ]


def _after(instance: Instance, project: str, number: int, put_away: Callable[[str], None]) -> float:
    put_away(instance.name)
    return _ours(instance.api, project, hello(number))


def _compared(instance: Instance, name: str, project: str, files: Callable[[int], Mapping[str, str]]) -> Figure:
    projects.create(instance.api, project)
    ours, bare = [], []
    _ours(instance.api, project, files(0))
    _bare(instance, project, files(0))
    for number in rounds(ROUNDS, _SECONDS):
        ours.append(_ours(instance.api, project, files(number + 1)))
        bare.append(_bare(instance, project, files(number + 1)))
    note = "the job from its start to its end; the same build and push on the host's engine, in a Swarm job, too"
    return side_by_side(name, ours, bare, limit=WARM, note=note)


def hello(number: int) -> dict[str, str]:
    """The example's files, with a last line of the application that differs by the number."""
    files = {path.name: path.read_text() for path in _HELLO.iterdir() if path.is_file()}
    return files | {"app.py": f"{files['app.py']}\n# {number}\n"}


def _ten_layers(number: int) -> dict[str, str]:
    copies = "".join(f"COPY {n}.txt /home/app/\n" for n in range(10))
    texts = {f"{n}.txt": f"{n}\n" for n in range(9)} | {"9.txt": f"{number}\n"}
    return {"Dockerfile": f"FROM {_BASE}\n{copies}USER 1001\n"} | texts


def _ours(api: Api, project: str, files: Mapping[str, str]) -> float:
    pipeline = api.ended(f"/pipelines/{projects.push(api, project, files, force=True)}")
    [job] = [job for job in pipeline["jobs"] if job["kind"] == "build"]
    if job["status"] != "succeeded":
        raise RuntimeError(f"The build of {project} is {job['status']}: {job['reason']}")
    began, ended = (datetime.fromisoformat(job[key]) for key in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _bare(instance: Instance, project: str, files: Mapping[str, str]) -> float:
    repository = f"{project.replace('/', '/bare-')}"
    login = RegistryLogin(instance.registry, Vault(read_key(instance.folder / "key")).derive(PURPOSE))
    token = login.token([Access(repository, ("pull", "push"))])
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "context"
        context.mkdir()
        for name, text in files.items():
            (context / name).write_text(text)
        (Path(folder) / "login").mkdir()
        known = {"auths": {instance.registry: {"registrytoken": token}}}
        (Path(folder) / "login/config.json").write_text(json.dumps(known))
        return _job(instance.name, folder, f"{instance.registry}/{repository}:bare")


def _job(instance: str, folder: str, image: str) -> float:
    name = f"{instance}-bare-build-{time.monotonic_ns()}"
    mounts = (mount.format(folder).split(":") for mount in _MOUNTS)
    began = time.monotonic()
    docker_cli.docker(
        *("service", "create", "--detach", "--quiet", "--mode", "replicated-job", "--name", name),
        *("--label", f"{docker_cli.LABEL}={instance}", "--container-label", f"{docker_cli.LABEL}={instance}"),
        *("--network", "host", "--tty", "--init", "--restart-condition", "none", "--env", f"NAME={image}"),
        *(word for mount in mounts for word in ("--mount", f"type=bind,source={mount[0]},target={mount[1]}")),
        *("--no-resolve-image", "--entrypoint", "/bin/bash", JOB_IMAGE, "-c", _SCRIPT),
    )
    while not (found := docker_cli.lines("ps", "--all", "--quiet", "--filter", f"name={name}.")):
        time.sleep(0.02)
    with subprocess.Popen(["docker", "wait", found[0]], stdout=subprocess.PIPE, text=True) as waiting:
        code = waiting.communicate()[0].strip()
    seconds = time.monotonic() - began
    words = docker_cli.docker("logs", found[0]) if code != "0" else ""
    docker_cli.remove_services(f"name={name}", force=True)
    if words:
        raise RuntimeError(f"The bare build failed: {words[-500:]}")
    return seconds


def _stop_builders(instance: str) -> None:
    _remove(instance, "container", "network")


def _forget_builders(instance: str) -> None:
    _remove(instance, "container", "network", "volume")


def _remove(instance: str, *kinds: str) -> None:
    """What these have of builders."""
    label = ("--filter", f"label={docker_cli.LABEL}={instance}", "--filter", "label=cabestan.builder")
    for kind in kinds:
        every = ("--all",) if kind == "container" else ()
        if found := docker_cli.lines(kind, "ls", *every, "--quiet", *label):
            docker_cli.docker(kind, "rm", *(["--force"] if kind != "network" else []), *found)
