"""A secret with a value that nothing else has, and everywhere that it must not be."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.integration.harness import Platform, Work, eventually
from tests.integration.samples import COMPOSE, SMALL, unbuilt
from tests.integration.test_restarts import run_script

pytestmark = pytest.mark.integration


class Watcher:
    """Reads the command lines of all processes, over and over."""

    def __init__(self, canary: str) -> None:
        self._canary = canary.encode()
        self._over = threading.Event()
        self.seen: list[bytes] = []
        self.looked = 0

    def run(self) -> None:
        while not self._over.is_set():
            for process in Path("/proc").glob("[0-9]*"):  # one that ends meanwhile breaks a deeper pattern
                with suppress(OSError):
                    line = (process / "cmdline").read_bytes()
                    self.looked += 1
                    if self._canary in line:
                        self.seen.append(line)
            time.sleep(0.01)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@pytest.fixture
def canary() -> str:
    return f"canary-{uuid.uuid4().hex}"


def _with_secret(platform: Platform, canary: str, line: str, *, built: bool = False) -> Work:
    files = SMALL | {"docker-compose.yml": COMPOSE.replace("      SAYS:", f"      {line}\n      SAYS:")}
    work = platform.make_project(files if built else unbuilt(files))
    platform.put(f"/projects/{work.name}/secrets/BIRD", {"value": canary})
    return work


def _everything_told(platform: Platform, work: Work) -> Iterator[tuple[str, str]]:
    """Every answer of the API about the project, each page, each log: address and text."""
    project = f"/projects/{work.name}"
    addresses = [project, *(f"{project}/{what}" for what in ("pipelines", "releases", "deployments", "variables"))]
    addresses += [f"{project}/{what}" for what in ("secrets", "environments", "environments/staging/plan")]
    addresses += [f"{project}/environments/staging", f"{project}/environments/production"]
    addresses += [f"{project}/environments/staging/variables", f"{project}/secrets/BIRD/history"]
    addresses += [f"/deployments/{d['id']}" for d in platform.deployments(work.name)]
    for found in platform.pipelines(work.name):
        addresses.append(f"/pipelines/{found['id']}")
        for job in platform.get(f"/pipelines/{found['id']}")["jobs"]:
            addresses += [f"/jobs/{job['id']}", f"/jobs/{job['id']}/log", f"/jobs/{job['id']}/log/lines"]
    for address in addresses:
        yield address, platform.http.get(f"/api/v1{address}").text
    for page in _pages(platform, work):
        yield page, platform.http.get(page).text


def _pages(platform: Platform, work: Work) -> Iterator[str]:
    yield from ("/", f"/{work.name}", f"/{work.name}/environments/staging", f"/{work.name}/environments/production")
    yield from (f"/{work.name}/settings/variables", f"/{work.name}/settings/variables/history?variable=BIRD")
    for pipeline in platform.pipelines(work.name):
        yield f"/{work.name}/pipelines/{pipeline['id']}"
        for job in platform.get(f"/pipelines/{pipeline['id']}")["jobs"]:
            yield f"/{work.name}/jobs/{job['id']}"
    for deployment in platform.deployments(work.name):
        yield f"/{work.name}/deployments/{deployment['id']}"


def _is_nowhere(platform: Platform, work: Work, canary: str) -> None:
    told = [address for address, text in _everything_told(platform, work) if canary in text]
    stored = [path.name for path in platform.data.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]
    assert (told, stored, canary in platform.server_log) == ([], [], False)


def test_a_secret_reaches_its_container_and_nothing_else(platform: Platform, canary: str) -> None:
    work = _with_secret(platform, canary, "BIRD: ${BIRD}", built=True)
    work.files |= {"app.py": SMALL["app.py"].replace('"SAYS"', '"BIRD"')}
    value = f"{canary} {{{{.Service.Name}}}} {{{{{{"  # what Swarm would fill in
    platform.put(f"/projects/{work.name}/secrets/BIRD", {"value": value})
    watcher = Watcher(canary)
    with watcher.watching():
        work.goes_live()
    assert platform.ask(work.host("staging")).text == value
    assert (watcher.seen, watcher.looked > 1000) == ([], True)
    _is_nowhere(platform, work, canary)


def test_a_secret_that_a_job_prints_is_masked(platform: Platform, canary: str) -> None:
    work = _with_secret(platform, canary, "BIRD: ${BIRD}")
    work.deployed()
    head, tail = canary[:12], canary[12:]
    script = f"echo before; echo {head}''{tail}; printf {head}; sleep 0.3; echo {tail}; echo after"
    pipeline = run_script(platform, work, script)
    [job] = platform.wait_for_pipeline(pipeline)["jobs"]
    log = platform.log(job["id"])
    assert ("before" in log, "after" in log, log.count("[secret]") >= 2) == (True, True, True), log
    _is_nowhere(platform, work, canary)


def test_a_secret_in_the_words_of_a_task_is_masked(platform: Platform, canary: str) -> None:
    """A command that does not exist: the engine's own error names it."""
    work = _with_secret(platform, canary, "BIRD: ${BIRD}")
    text = work.files["docker-compose.yml"]
    work.files |= {"docker-compose.yml": text.replace("[python3, app.py]", "['${BIRD}']")}
    pushed = work.push()
    assert pushed.pipeline
    platform.wait_for_pipeline(pushed.pipeline)
    eventually(lambda: platform.pipelines(work.name), 5, "the pipeline")
    for deployment in platform.deployments(work.name, "staging"):
        ended = platform.wait_for_deployment(deployment["id"])
        assert ended["status"] == "failed"
    _is_nowhere(platform, work, canary)


def test_a_secret_beside_braces_is_no_template_that_swarm_could_repeat(platform: Platform, canary: str) -> None:
    """Swarm reads variables as templates, and quotes one that is none; these reach it escaped."""
    work = _with_secret(platform, canary, "BIRD: '{{${BIRD}'")
    ended = work.deployed()
    assert ended["status"] == "succeeded", ended
    _is_nowhere(platform, work, canary)
