"""Builds of a machine that reaches the outside by a proxy alone, which shows certificates of its own authority."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.attack.neighbour import ALLOWED, beside, neighbour
from tests.integration.harness import Platform
from tests.integration.tls_proxy import TlsProxy, tls_proxy

pytestmark = pytest.mark.integration
_HOST = "hub.test"
_PROBE = (Path(__file__).parent / "attack" / "probe.py").read_text()
_ASK = """\
import urllib.request
print("told", urllib.request.urlopen("https://hub.test/by-run").read().decode())
"""


@pytest.fixture
def outside() -> Iterator[str]:
    with neighbour() as address:
        yield address


@pytest.fixture
def proxy(platform: Platform, tmp_path: Path, outside: str) -> Iterator[TlsProxy]:
    """That of the server, which lets builds reach nothing else."""
    with tls_proxy(tmp_path, _HOST) as made:
        platform.stop()
        platform.settings |= {"build_reach": "", "ca_bundle": str(made.authority)}
        platform.beside["HTTPS_PROXY"] = f"http://{beside(outside)}:{made.port}"
        platform.start()
        try:
            yield made
        finally:
            platform.stop()
            platform.beside.clear()
            for name in ("build_reach", "ca_bundle"):
                del platform.settings[name]
            platform.start()


def test_a_build_and_its_engine_reach_the_outside_by_the_proxy_and_by_it_alone(
    platform: Platform, proxy: TlsProxy, outside: str
) -> None:
    """What RUN starts and the builder's engine trust the authority."""
    place = f"{outside}:{ALLOWED}"
    run = f"COPY ask.py probe.py /\nRUN python3 /ask.py && python3 /probe.py {place}\n"
    dockerfile = f"FROM cabestan/python:3.11\n{run}USER 1001\n"
    work = platform.make_project({"ask.py": _ASK, "probe.py": _PROBE, "Dockerfile": dockerfile})
    pushed = work.push()
    assert pushed.pipeline
    [build] = [job for job in platform.wait_for_pipeline(pushed.pipeline)["jobs"] if job["kind"] == "build"]
    log = platform.log(build["id"])
    assert build["status"] == "succeeded", log
    assert re.findall(r"^#.* (told .+|silence .+|answer .+)$", log, re.MULTILINE) == [
        "told outside",
        f"silence {place}",
    ]
    assert f"GET {_HOST} /by-run" in proxy.asked
    pull = ["docker", "--host", "unix:///run/builder/docker.sock", "pull", f"{_HOST}/any/image:1"]
    assert platform.builder(work.name).exec_run(pull).exit_code != 0, "it is no registry"
    assert f"GET {_HOST} /v2/" in proxy.asked
