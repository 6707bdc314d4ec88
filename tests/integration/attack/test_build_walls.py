"""What a build reaches, over the network and in the registry: not by what its Dockerfile may say, but by its walls."""

import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from docker.models.containers import Container
from tests.integration.attack.neighbour import ALLOWED, OTHER, beside, neighbour
from tests.integration.attack.probe import answers
from tests.integration.harness import Platform, Work, eventually, said_inside
from tests.integration.samples import DOCKERFILE, SMALL

from cabestan.adapters.build_gate import GATE_FOLDER
from cabestan.adapters.builders import RUN_FOLDER
from cabestan.adapters.host_addresses import host_addresses
from cabestan.adapters.registry import Registry
from cabestan.domain import docker_names

pytestmark = pytest.mark.integration
_PROBE = Path(__file__).with_name("probe.py").read_text()
_SERVING = "FROM cabestan/python:3.11\nRUN echo begun && python3 -m http.server 8000\nUSER 1001\n"


@pytest.fixture(scope="module")
def victim(prepared: Platform) -> Iterator[Work]:
    """Another project, whose application is served."""
    if prepared.died:
        prepared.start()
    with prepared.cleared():
        work = prepared.make_project(SMALL)
        work.goes_live()
        yield work


def test_a_build_reaches_the_outside_and_neither_the_machine_nor_others(platform: Platform, victim: Work) -> None:
    """From RUN and from the builder's own engine, which fetches what ADD names. Canceled, a build ends there, too."""
    work = _undeployed(platform)
    with ExitStack() as stack, neighbour() as outside, _service_of_the_host() as port, _service_of_the_host() as proxy:
        # a proxy may run on the machine itself: its port is reached, and no other one
        allowed = [f"{outside}:{ALLOWED}", f"{beside(outside)}:{proxy}"]
        stack.enter_context(platform.served_with(build_reach=f"internet {' '.join(allowed)}"))
        victim.files = {"Dockerfile": _SERVING}
        serving = victim.push().pipeline
        eventually(lambda: _says(platform, serving, " begun"), 60, "the build is at RUN")
        building, inside = platform.builder(victim.name), [f"198.18.0.{n}:8000" for n in range(1, 6)]
        eventually(lambda: _in_builder(building, inside), 30, "the build serves")
        assert _refused_first(building) > set(_gateways(building)) > set()
        assert [place for place in (*allowed, f"{outside}:{OTHER}") if not answers(place)] == []
        near = [*_places_of_the_host(platform, port), f"{outside}:{OTHER}"]
        of_builds = [*inside, *(f"{address}:8000" for address in _addresses(building))]
        own = [f"127.0.0.1:{number}" for number in (port, platform.port, platform.registry_port, platform.router_port)]
        hidden = [*near, *of_builds, *own, *_addresses_of(victim, 8000)]

        run = f"FROM cabestan/python:3.11\nCOPY probe.py /\nRUN python3 /probe.py {' '.join([*allowed, *hidden])}\n"
        work.files = {
            "probe.py": _PROBE,
            "Dockerfile.run": f"{run}USER 1001\n",
            "Dockerfile.add": f"FROM cabestan/python:3.11\nADD http://127.0.0.1:{port}/ /taken\nUSER 1001\n",
        }
        pushed = work.push()
        assert pushed.pipeline
        ended = platform.wait_for_pipeline(pushed.pipeline)
        jobs = {job["name"]: (job["status"], platform.log(job["id"])) for job in ended["jobs"]}
        assert jobs["build run"][0] == "succeeded", jobs["build run"]
        assert set(re.findall(r" answer (\S+)", jobs["build run"][1])) == set(allowed)
        assert set(re.findall(r" silence (\S+)", jobs["build run"][1])) == set(hidden)
        assert jobs["build add"][0] == "failed"
        assert "connection refused" in jobs["build add"][1]
        assert set(_in_builder(platform.builder(work.name), [*allowed, *hidden])) == set(allowed)

        platform.post(f"/pipelines/{serving}/cancel")
        eventually(lambda: not _runs(building, "http.server"), 30, "the build ends in its builder")


def test_a_job_has_rights_to_its_own_image_alone_whatever_it_asks_the_builder(platform: Platform, victim: Work) -> None:
    """Somebody who got past the script and the Dockerfile's reading holds the job's token and the builder's socket."""
    work = _undeployed(platform)
    work.files = {"Dockerfile": "FROM cabestan/python:3.11\nRUN echo begun && sleep 600\nUSER 1001\n"}
    pushed = work.push()
    assert pushed.pipeline
    job = eventually(lambda: _running_job(platform, pushed.pipeline), 60, "the job runs")
    eventually(lambda: _says(platform, pushed.pipeline, " begun"), 60, "the build is at RUN")
    container = _container_of(platform, job["id"])
    assert sorted(mount["Destination"] for mount in container.attrs["Mounts"]) == [RUN_FOLDER, GATE_FOLDER]
    assert not any("docker.sock" in str(mount) for mount in platform.builder(work.name).attrs["Mounts"])

    token = said_inside(container, "sed", "-n", "2p", "/run/secrets/job-token")
    foreign = _released(platform, victim)
    said = _attempts(platform, work, token, foreign, job["id"])
    platform.post(f"/pipelines/{pushed.pipeline}/cancel")
    assert {name: code for name, (code, _) in said.items()} == {
        "pull without a way": False,
        "pull": False,
        "build on it": False,
        "push over it": False,
        "push another name": False,
        "push its own": True,
    }, said
    assert "connection refused" in said["pull without a way"][1] or "EOF" in said["pull without a way"][1]
    assert "denied" in said["push over it"][1]
    with httpx.Client(base_url=f"http://{platform.registry_login.address}/v2", trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        asked = (f"{victim.name}/tags/list", "_catalog", f"{work.name}/tags/list", "cabestan/python/tags/list")
        assert [client.get(f"/{path}").status_code for path in asked] == [401, 401, 200, 200]
    assert Registry(platform.registry_login).find(victim.name, "stolen") == ""


def test_people_pull_what_they_may_read_and_push_nothing(platform: Platform, victim: Work, tmp_path: Path) -> None:
    """By `docker login` with a personal token."""
    address = platform.registry_login.address
    foreign = _released(platform, victim).partition("@")[0]
    stranger = platform.post("/users", {"name": f"u{victim.name[2:]}"})["token"]

    def docker(who: str, *words: str) -> "subprocess.CompletedProcess[str]":
        command = ["docker", "--config", str(tmp_path / who), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    for who, token in (("reader", platform.token), ("stranger", stranger)):
        signed_in = docker(who, "login", "--username", who, "--password", token, address)
        assert signed_in.returncode == 0, signed_in.stderr
    assert docker("nobody", "login", "--username", "me", "--password", "wrong", address).returncode != 0
    [commit] = {release["commit"] for release in platform.get(f"/projects/{victim.name}/releases")["items"]}
    assert docker("reader", "pull", f"{foreign}:{commit}").returncode == 0
    refused = docker("stranger", "pull", f"{foreign}:{commit}")
    assert refused.returncode != 0
    assert "denied" in refused.stderr
    docker("reader", "tag", f"{foreign}:{commit}", f"{foreign}:mine")
    assert "denied" in docker("reader", "push", f"{foreign}:mine").stderr


_ATTEMPTS = r"""
export DOCKER_HOST=unix://$RUN/docker.sock DOCKER_CONFIG=/tmp/client
mkdir -p "$DOCKER_CONFIG"
printf '{"auths": {"%s": {"registrytoken": "%s"}}}' "$REGISTRY" "$TOKEN" > "$DOCKER_CONFIG/config.json"
try() { if timeout 60 "${@:2}" > /tmp/said 2>&1; then code=0; else code=1; fi; echo "$code|$1|$(tail -n 1 /tmp/said)"; }
build() { printf 'FROM %s\n' "$1" | docker build --pull - ; }
image=$(docker image ls --quiet | head -n 1)
push() { docker tag "$image" "$1" && docker push "$1"; }
export -f build push
export image
try "pull without a way" docker pull "$FOREIGN"
socat "UNIX-LISTEN:$RUN/registry/attack.sock,fork,unlink-early" "TCP:$REGISTRY" &
while ! [ -S "$RUN/registry/attack.sock" ]; do sleep 0.02; done
try pull docker pull "$FOREIGN"
try "build on it" bash -c 'build "$FOREIGN"'
try "push over it" bash -c 'push "${FOREIGN%@*}:stolen"'
try "push another name" bash -c 'push "$OWN/other:1"'
try "push its own" bash -c 'push "$OWN:job-$JOB-9"'
kill %1
rm -f "$RUN/registry/attack.sock"
"""


def _attempts(platform: Platform, work: Work, token: str, foreign: str, job: int) -> dict[str, tuple[bool, str]]:
    """What somebody gets done with it: whether it works, and the last words."""
    given = {"RUN": RUN_FOLDER, "REGISTRY": platform.registry_login.address, "TOKEN": token, "FOREIGN": foreign}
    output = platform.client.containers.run(
        "cabestan/builder:1",
        ["bash", "-c", _ATTEMPTS],
        environment=given | {"OWN": f"{platform.registry_login.address}/{work.name}", "JOB": str(job)},
        volumes={docker_names.builder_socket(platform.instance, platform.project_id(work.name)): {"bind": RUN_FOLDER}},
        labels={"cabestan.instance": platform.instance},
        network_mode="host",
        remove=True,
    )
    lines = [line.split("|", 2) for line in output.decode().splitlines() if line.count("|") >= 2]
    return {name: (code == "0", words) for code, name, words in lines}


def _released(platform: Platform, work: Work) -> str:
    """The image of its first release, by digest."""
    [image] = set(platform.get(f"/projects/{work.name}/releases/1")["images"].values())
    return str(image)


def _undeployed(platform: Platform) -> Work:
    work = platform.make_project({"Dockerfile": DOCKERFILE})
    platform.put(f"/projects/{work.name}/environments/staging", {"trigger": "manual"})
    return work


@contextmanager
def _service_of_the_host() -> Iterator[int]:
    """At all addresses of the machine; its port."""
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _places_of_the_host(platform: Platform, port: int) -> list[str]:
    """All addresses of the machine (gateways of Docker's networks among them), the registry and the router in their
    containers: those that answer, for networks of the tests beside come and go.
    """
    registry = platform.client.containers.get(f"{platform.instance}-registry")
    router = platform.client.containers.get(f"{platform.instance}-router")
    ours = [f"{a}:5000" for a in _addresses(registry)] + [f"{a}:8000" for a in _addresses(router)[:1]]
    there = [place for place in (*ours, *(f"{address}:{port}" for address in host_addresses())) if answers(place)]
    assert {*ours, f"{_gateways(registry)[0]}:{port}"} <= set(there)
    return there


def _addresses(container: Container) -> list[str]:
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return sorted(network["IPAddress"] for network in networks if network["IPAddress"])


def _gateways(container: Container) -> list[str]:
    """The addresses that the machine has in its networks; they came after the builder was told the machine's."""
    return [network["Gateway"] for network in container.attrs["NetworkSettings"]["Networks"].values()]


def _refused_first(builder: Container) -> set[str]:
    """Single addresses that no build reaches, whichever networks the operator allows."""
    rules = said_inside(builder, "sh", "-c", "iptables-nft -S REACH || iptables-legacy -S REACH")
    return set(re.findall(r"^-A REACH -d (\S+)/32 -j REJECT", rules, re.MULTILINE))


def _addresses_of(work: Work, port: int) -> list[str]:
    """Of its application: in its own network, and in the one by which Swarm's containers reach the outside."""
    client = work.platform.client
    label = [f"cabestan.project={work.name}", "cabestan.environment=staging"]
    [container] = client.containers.list(filters={"label": label})
    gateway = client.networks.get("docker_gwbridge")
    there = gateway.attrs["Containers"].get(container.id, {}).get("IPv4Address", "").partition("/")[0]
    found = [*_addresses(container), *([there] if there else [])]
    assert found
    return [f"{address}:{port}" for address in found]


def _in_builder(builder: Container, places: list[str]) -> list[str]:
    """Those that answer to the builder's own engine."""
    script = 'for p; do (curl -s -m 3 -o /dev/null --noproxy "*" "http://$p/" && echo "$p") & done; wait'
    code, output = builder.exec_run(["bash", "-c", script, "_", *places])
    assert code == 0, output
    return sorted(output.decode().split())


def _runs(builder: Container, word: str) -> bool:
    """Whether a process in it, those of its containers included, was started with the word."""
    _, output = builder.exec_run(["bash", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"])
    return word in output.decode(errors="replace")


def _running_job(platform: Platform, pipeline: int | None) -> Any:
    jobs = platform.get(f"/pipelines/{pipeline}")["jobs"]
    return next((job for job in jobs if job["kind"] == "build" and job["status"] == "running"), None)


def _says(platform: Platform, pipeline: int | None, word: str) -> bool:
    """In the log of its build."""
    job = _running_job(platform, pipeline)
    return bool(job) and word in platform.log(job["id"])


def _container_of(platform: Platform, job: int) -> Container:
    label = [f"cabestan.instance={platform.instance}", f"cabestan.job={job}"]
    [found] = platform.client.containers.list(filters={"label": label}, ignore_removed=True)
    return found
