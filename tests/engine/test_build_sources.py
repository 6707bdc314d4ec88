"""What a build gets: the bytes of Git's objects, and the Dockerfile as it was read."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from io import BytesIO

import pytest
from tests.engine.fakes import digest_of
from tests.engine.world import COMPOSE, World

from cabestan.adapters.git_trees import LINK, TreeFile
from cabestan.domain.pipeline import BuildJob, Job
from cabestan.domain.tree import LONGEST_TARGET, LinkRefused
from cabestan.engine.building import build_sources, intake, pipelines
from cabestan.errors import Conflict, Invalid, StepFailed
from cabestan.store import pipelines as store

CHAIN = {
    "Dockerfile": "FROM cabestan/python:3\nCOPY . /x\n",
    "Dockerfile.web": "# syntax=docker/dockerfile:1\n# why\nARG B=shop/api\nFROM $B AS one\n"
    "COPY --from=debian:12 a b\n",
    "docker-compose.yml": COMPOSE,
}


def sources(world: World, files: dict[str, str]) -> dict[str, dict[str, bytes | str]]:
    """What each job of a push was given while it ran, by its name; links as text."""
    project = world.project()
    world.push(project, files)
    found = {}

    def fetch(run: object) -> None:
        job: Job = run.job  # type: ignore[attr-defined]
        with world.services.database.reading() as tx:
            stored = build_sources.running_job(tx, job.id)
        found[job.name] = unpacked(b"".join(build_sources.source(world.services, stored)))

    world.jobs.while_running = fetch
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    return found


def unpacked(archive: bytes) -> dict[str, bytes | str]:
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        links: dict[str, bytes | str] = {entry.name: entry.linkname for entry in tar if entry.issym()}
        return links | {name: file.read() for name, file in files.items() if file}


def test_images_stand_by_digest_as_the_jobs_of_this_pipeline_pushed_them(world: World) -> None:
    found = sources(world, CHAIN)
    python = f"127.0.0.1:5600/cabestan/python@{digest_of('cabestan/python:3.11', 0)}"
    with world.services.database.reading() as tx:
        jobs = {job.name: job for job in store.jobs_of(tx, 1)}
    ours = f"127.0.0.1:5600/shop/api@{jobs['build'].digest}"
    assert found["build"]["Dockerfile"] == f"FROM {python}\nCOPY . /x\n".encode()
    assert found["build"]["bases"] == f"{python}\n".encode()
    web = f"ARG B=shop/api\nFROM {ours} AS one\nCOPY --from=debian:12 a b\n"
    assert found["build web"]["Dockerfile"] == web.encode()
    assert found["build web"]["bases"] == f"{ours}\n".encode()


def test_a_base_image_is_pushed_to_the_registry_once(world: World) -> None:
    world.registry.tags["cabestan/python", "3.11"] = digest_of("cabestan/python:3.11", 0)
    sources(world, CHAIN)
    assert world.stacks.called("publish") == [["cabestan/python:3.11"]]


def test_no_attribute_of_the_commit_changes_a_byte(world: World) -> None:
    """Not even in the Dockerfile: what was checked is what is built."""
    attributes = "Dockerfile working-tree-encoding=ASCII//TRANSLIT\n* ident eol=crlf text\nsecret export-ignore\n"
    # the attacker's own Git takes the bytes as they are
    (world.checkout.path / ".git/info/attributes").write_text("* -working-tree-encoding -text -ident\n")
    text = "FROM cabestan/python:3.11\nRUN echo 127․0․0․1\n"
    files = {"Dockerfile": text, ".gitattributes": attributes, "a": "$Id$\nline\n", "secret": "x"}
    found = sources(world, files)["build"]
    assert "127․0․0․1".encode() in found["Dockerfile"]  # type: ignore[operator]
    assert {name: found[f"context/{name}"] for name in files} == {name: text.encode() for name, text in files.items()}


@pytest.mark.parametrize(
    ("files", "ignored"),
    [
        ({}, b""),
        ({".dockerignore": "a\n"}, b"a\n"),
        ({".dockerignore": "a\n", "Dockerfile.dockerignore": "b\n"}, b"b\n"),
        ({"other/.dockerignore": "a\n"}, b""),
    ],
)
def test_the_ignore_file_that_counts_is_dockers(world: World, files: dict[str, str], ignored: bytes) -> None:
    found = sources(world, {"Dockerfile": "FROM debian:12\n"} | files)
    assert found["build"]["Dockerfile.dockerignore"] == ignored


def test_a_context_is_its_folder_alone_and_takes_its_own_ignore_file(world: World) -> None:
    compose = "services:\n  web: {build: ./web, image: '${CI_REGISTRY_IMAGE}/web:${CI_COMMIT_SHA}'}\n"
    files = {"web/Dockerfile": "FROM debian:12\n", "web/a": "1", "webs/b": "2", "c": "3", "web/.dockerignore": "x\n"}
    found = sources(world, files | {"docker-compose.yml": compose})["build web"]
    assert {name for name in found if name.startswith("context/")} == {
        "context/Dockerfile",
        "context/a",
        "context/.dockerignore",
    }
    assert found["Dockerfile.dockerignore"] == b"x\n"


def test_links_stay_links_and_files_keep_their_modes(world: World) -> None:
    (world.checkout.path / "run").write_text("#!/bin/sh\n")
    (world.checkout.path / "run").chmod(0o755)
    (world.checkout.path / "away").symlink_to("/etc/passwd")
    project = world.project()
    world.push(project, {"Dockerfile": "FROM debian:12\n"})
    modes = {}

    def fetch(run: object) -> None:
        archive = b"".join(build_sources.source(world.services, run.job))  # type: ignore[attr-defined]
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            modes.update({entry.name: (entry.mode, entry.linkname) for entry in tar})

    world.jobs.while_running = fetch
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    assert modes["context/run"] == (0o755, "")
    assert modes["context/away"] == (0o777, "/etc/passwd")


def test_a_release_has_the_images_that_its_own_jobs_told_and_a_tag_is_written_once(world: World) -> None:
    project = world.project()
    world.registry.tags["shop/api", "0.2"] = "sha256:older"
    release = world.released(project, Dockerfile="# VERSION 0.2\nFROM cabestan/python:3.11\n")
    (pipeline,) = world.pipelines(project)
    [job] = [job for job in world.jobs_of(pipeline) if isinstance(job.spec, BuildJob)]
    assert set(release.images.values()) == {f"127.0.0.1:5600/shop/api@{job.digest}"}
    assert world.registry.tags["shop/api", release.commit] == job.digest
    assert world.registry.tags["shop/api", "0.2"] == "sha256:older"
    assert "shop/api:0.2 is there already and stays: raise VERSION in Dockerfile." in pipeline.notes


def test_a_version_is_said_by_protected_branches_alone(world: World) -> None:
    project = world.project()
    world.push(project, branch="mine", Dockerfile="# VERSION 0.2\nFROM cabestan/python:3.11\n")
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    (pipeline,) = world.pipelines(project)
    assert ("shop/api", "0.2") not in world.registry.tags
    assert "shop/api gets its version 0.2 on a protected branch alone." in pipeline.notes


def test_a_commits_hash_is_no_version(world: World) -> None:
    project = world.project()
    victim = world.push(project)
    text = f"# VERSION 1{victim[1:]}\n# VERSION {victim}\nFROM cabestan/python:3.11\n"
    world.push(project, branch="mine", Dockerfile=text)
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    for pipeline in world.pipelines(project):
        [build] = [job.spec.build for job in world.jobs_of(pipeline) if isinstance(job.spec, BuildJob)]
        assert build.tags == (pipeline.commit,)


def test_only_a_digest_of_a_running_job_is_taken(world: World) -> None:
    project = world.project()
    world.released(project)
    (pipeline,) = world.pipelines(project)
    [job] = [job for job in world.jobs_of(pipeline) if isinstance(job.spec, BuildJob)]
    with pytest.raises(Conflict, match="does not run"):
        build_sources.take_image(world.services, job.id, f"sha256:{'0' * 64}")
    with pytest.raises(Invalid, match="is no digest"):
        build_sources.take_image(world.services, job.id, "latest")
    with world.services.database.reading() as tx, pytest.raises(Conflict, match="does not run any more"):
        build_sources.running_job(tx, job.id)


def test_a_job_that_tells_nothing_fails_the_pipeline(world: World) -> None:
    project = world.project()
    world.push(project)
    world.jobs.tell = lambda _run, _digest: None
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    (pipeline,) = world.pipelines(project)
    assert pipeline.reason == "The job build has not told which image it pushed. Run the pipeline again."
    world.jobs.tell = lambda run, digest: build_sources.take_image(world.services, run.job.id, digest)
    pipelines.retry(world.services, pipeline.id)


def test_what_builds_on_an_image_that_is_not_there_yet_says_so(world: World) -> None:
    project = world.project()
    world.push(project, CHAIN)
    intake.take_pushes(world.services, project, "dev")
    world.durable.run()
    with world.services.database.writing() as tx:
        first, web = (job for job in store.jobs_of(tx, 1) if isinstance(job.spec, BuildJob))
        store.update_job(tx, first.id, digest="")
    with pytest.raises(StepFailed, match="The job build has not told"):
        build_sources.beginning(world.services, web)


def test_a_link_with_a_target_longer_than_any_is_refused_before_it_is_read() -> None:
    def content() -> Iterator[bytes]:
        yield b"x" * LONGEST_TARGET
        raise AssertionError("read on")

    fits = TreeFile("to", LINK, LONGEST_TARGET, iter([b"x" * LONGEST_TARGET]))
    assert b"".join(build_sources._entry("context/to", fits, 0))
    with pytest.raises(LinkRefused, match=f"web/to is a symbolic link with a target of more than {LONGEST_TARGET} b"):
        list(build_sources._entry("context/to", TreeFile("web/to", LINK, LONGEST_TARGET + 1, content()), 0))
