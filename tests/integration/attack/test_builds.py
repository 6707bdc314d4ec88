"""What is built is what Git has and what was checked, and what it is called is said once."""

import base64
import re

import pytest
from tests.integration.attack.commits import push_bytes
from tests.integration.harness import Platform, Pushed, Work
from tests.integration.samples import DOCKERFILE

from cabestan.adapters.registry import Registry

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def project(prepared: Platform) -> Work:
    """One for all of these tests, for its builder stays warm; what is built is not deployed by itself."""
    if prepared.died:
        prepared.start()
    made = prepared.make_project({})
    prepared.put(f"/projects/{made.name}/environments/staging", {"trigger": "manual"})
    return made


@pytest.fixture
def work(platform: Platform, project: Work) -> Work:
    project.clear()
    return project


_ATTRIBUTES = b"""\
* text=auto eol=crlf
utf.txt working-tree-encoding=UTF-16
Dockerfile.web working-tree-encoding=ASCII//TRANSLIT
id.txt ident
sub.txt export-subst
"""
#: what a working tree with these attributes would have changed
_BYTES = {
    "eol.txt": b"one\ntwo\n",
    "id.txt": b"$Id$\n",
    "sub.txt": b"$Format:%H$\n",
    "utf.txt": "größe\n".encode(),
}
#: the dots of the address are U+2024, and ASCII ones to an iconv that transliterates
_WEB = """\
FROM cabestan/python:3.11
COPY . /all/
COPY <<END /said
from a here-document
END
RUN <<END
cd /all
for file in *.txt; do echo "holds $file $(base64 -w0 $file)"; done
for file in $(find . -mindepth 1 | sort); do echo "has $file"; done
for link in out up; do echo "leads $link $(readlink $link)"; done
echo "says $(cat /said) of 127․0․0․1"
END
USER 1001
"""
_BUILDS = """\
services:
  web: {build: {context: ., dockerfile: Dockerfile.web}, image: "${CI_REGISTRY_IMAGE}/web:${CI_COMMIT_SHA}"}
  odd: {build: {context: ., dockerfile: "A=Dockerfile"}, image: "${CI_REGISTRY_IMAGE}/odd:${CI_COMMIT_SHA}"}
"""


def test_the_bytes_of_an_image_are_those_of_git(platform: Platform, work: Work) -> None:
    """Whatever attributes say; the ignore file of the Dockerfile's own name counts, links lead nowhere, and a file
    whose name looks like an assignment is a file. What a build prints is kept whole.
    """
    files = {
        **_BYTES,
        ".gitattributes": _ATTRIBUTES,
        ".dockerignore": b"eol.txt\n",
        "Dockerfile.web.dockerignore": b"private\n",
        "private/key": b"s3cret",
        "Dockerfile.web": _WEB.encode(),
        "A=Dockerfile": b"FROM cabestan/python:3.11\nRUN echo built from it; seq -f 'all %.0f' 40000\nUSER 1001\n",
        "docker-compose.yml": _BUILDS.encode(),
    }
    logs = _logs(platform, push_bytes(work, files, {"out": "/etc/passwd", "up": "../../../etc/passwd"}))
    assert "built from it" in logs["build odd"]
    assert re.findall(r" all (\d+)$", logs["build odd"], re.MULTILINE) == [str(n) for n in range(1, 40_001)]
    log = logs["build web"]
    held = {name: base64.b64decode(text) for name, text in re.findall(r" holds (\S+) (\S+)", log)}
    assert held == _BYTES
    there = set(re.findall(r" has \./(\S+)", log))
    assert {"eol.txt", "Dockerfile.web", "out"} <= there
    assert not [name for name in there if name.startswith(("private", ".git/"))]
    assert re.findall(r" leads (\S+) (\S+)", log) == [("out", "/etc/passwd"), ("up", "../../../etc/passwd")]
    assert " says from a here-document of 127․0․0․1" in log


@pytest.mark.parametrize("target", ["..", "/etc"])
def test_a_context_that_a_link_leads_out_of_the_repository_is_refused(
    platform: Platform, work: Work, target: str
) -> None:
    compose = b"services: {app: {build: ./link}}\n"
    pushed = push_bytes(work, {"docker-compose.yml": compose, "Dockerfile": DOCKERFILE.encode()}, {"link": target})
    assert pushed.pipeline
    ended = platform.wait_for_pipeline(pushed.pipeline)
    assert (ended["status"], [job["name"] for job in ended["jobs"] if job["kind"] == "build"]) == ("failed", [])
    assert "link" in ended["reason"]


def test_an_image_of_others_is_refused_before_the_build_however_it_is_written(platform: Platform, work: Work) -> None:
    """One of the spellings that once came through; all of them are in the tests of the reading."""
    work.files = {"Dockerfile": f'FROM "127.0.0.1:{platform.registry_port}/vic/app:0.2"\nUSER 1001\n'}
    pushed = work.push()
    assert pushed.pipeline
    ended = platform.wait_for_pipeline(pushed.pipeline)
    assert ended["status"] == "failed"
    assert [job["name"] for job in ended["jobs"] if job["kind"] == "build" and job["started_at"]] == []


_BIG = """\
FROM cabestan/python:3.11
RUN echo begun && python3 -c "b'x' * (3 * 1024**3)"
USER 1001
"""


def test_what_run_takes_is_bounded_and_the_builder_lives_on(platform: Platform, work: Work) -> None:
    """The harness gives builders one GiB."""
    pushed = push_bytes(work, {"Dockerfile": _BIG.encode()})
    assert pushed.pipeline
    ended = platform.wait_for_pipeline(pushed.pipeline)
    log = platform.log(ended["jobs"][-1]["id"])
    assert (ended["status"], ended["jobs"][-1]["attempt"]) == ("failed", 1), log
    assert " begun" in log
    assert "137" in log or "Killed" in log
    started = platform.builder(work.name).attrs["State"]["StartedAt"]
    work.files = {"Dockerfile": _BIG.replace("1024", "4")}
    assert "build" in _logs(platform, work.push())
    assert platform.builder(work.name).attrs["State"]["StartedAt"] == started


_VERSIONED = "# VERSION {}\nFROM cabestan/python:3.11\nRUN head -c 16 /dev/urandom > /unlike\nUSER 1001\n"


def test_a_tag_is_written_once_and_a_release_has_the_images_of_its_own_jobs(platform: Platform, work: Work) -> None:
    """A second pipeline of the same commit builds another image; one on a branch claims the commit's name."""
    registry = Registry(platform.registry_login)
    work.files = {"Dockerfile": _VERSIONED.format("1.0")}
    first = work.push()
    _logs(platform, first)
    once = registry.find(work.name, first.commit)
    assert once
    assert registry.find(work.name, "1.0") == once

    prune = ["docker", "--host", "unix:///run/builder/docker.sock", "builder", "prune", "--all", "--force"]
    assert platform.builder(work.name).exec_run(prune).exit_code == 0
    second = platform.post(f"/projects/{work.name}/pipelines")["id"]
    assert platform.wait_for_pipeline(second)["status"] == "succeeded"
    [(own,)] = platform.rows(f"select digest from jobs where pipeline_id = {second} and digest <> ''")
    assert own != once
    release = platform.get(f"/projects/{work.name}/releases")["items"][0]
    assert release["commit"] == first.commit
    assert {image.partition("@")[2] for image in release["images"].values()} == {own}
    assert registry.find(work.name, first.commit) == registry.find(work.name, "1.0") == once

    work.files = {"Dockerfile": _VERSIONED.format(first.commit)}
    work.commit()
    _logs(platform, work.push_head(branch="other"))
    assert registry.find(work.name, first.commit) == once


_CACHED = "# VERSION 2.0\nFROM cabestan/python:3.11\nRUN --mount=type=cache,id=all,target=/cache {}\nUSER 1001\n"


def test_who_may_not_push_to_protected_branches_says_no_version_and_fills_no_cache_for_them(
    platform: Platform, work: Work
) -> None:
    work.files = {"Dockerfile": _CACHED.format("touch /cache/poison")}
    work.commit()
    pushed = work.push_head(branch="other")
    _logs(platform, pushed)
    assert Registry(platform.registry_login).find(work.name, "2.0") == ""
    assert any("protected branch" in note for note in platform.get(f"/pipelines/{pushed.pipeline}")["notes"])
    work.files = {"Dockerfile": _CACHED.format("test ! -e /cache/poison && touch /cache/own")}
    _logs(platform, work.push())
    work.files = {"Dockerfile": _CACHED.format("test -e /cache/own")}
    _logs(platform, work.push())


def _logs(platform: Platform, pushed: Pushed) -> dict[str, str]:
    """Of the jobs of its pipeline, which succeeds, by name."""
    assert pushed.pipeline, pushed.output
    ended = platform.wait_for_pipeline(pushed.pipeline)
    logs = {job["name"]: platform.log(job["id"]) for job in ended["jobs"]}
    assert ended["status"] == "succeeded", (ended["reason"], logs)
    return logs
