"""The script as bash runs it, with a real repository, and a `docker` that only writes down what it is asked."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.repositories import Checkout

from cabestan.pipeline.build_script import BUILD_SCRIPT
from cabestan.pipeline.image_names import rewrites

RECORDING_DOCKER = """\
#!/bin/bash
[ "$1" = version ] && exit "${ENGINE:-0}"
[ ! -e "$DOCKER_CONFIG/config.json" ] || with="with login: "
[ "$1 $2" = "image inspect" ] && exit "${MISSING:-0}"
printf '%s\\n' "${with:-}$*" >> "$RECORD"
[ "$1" = "${FAILING:-}" ] || exit 0
[ "$(grep -c "^${with:-}$1" "$RECORD")" -le "${TIMES:-9}" ] && { echo "no such luck"; exit 3; }
exit 0
"""


@dataclass(frozen=True)
class Build:
    returncode: int
    output: str
    calls: list[str]
    dockerfile: str


@pytest.fixture
def run(tmp_path: Path, checkout: Checkout):
    """Runs the script with the files committed. What it keeps in /tmp is kept in the test's folder."""

    def build(files: dict[str, str], **variables: str) -> Build:
        commit = checkout.commit(files)
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "docker").write_text(RECORDING_DOCKER)
        (tools / "docker").chmod(0o755)
        (tmp_path / "token").write_text("token\nbG9naW4=\n")
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "RECORD": str(tmp_path / "record"),
            "TOKEN_FILE": str(tmp_path / "token"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowReachableSHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "CI_REPOSITORY_URL": f"file://{checkout.path}",
            "CI_COMMIT_SHA": commit,
            "CI_PROJECT_DIR": str(tmp_path / "source"),
            "CI_PROJECT_PATH": "shop/api",
            "CI_PROJECT_ID": "7",
            "CI_REGISTRY": "127.0.0.1:5600",
            "IMAGE": "127.0.0.1:5600/shop/api",
            "TAGS": commit,
            "DOCKERFILE": "Dockerfile",
            "CONTEXT": ".",
            "BUILD_ARGUMENTS": "",
            "BASES": "",
            "REWRITES": "",
        }
        script = BUILD_SCRIPT.replace("/tmp", str(tmp_path))  # several run at a time here, and a job is alone
        done = subprocess.run(
            ["bash", "-c", script], env=environment | variables, capture_output=True, text=True, timeout=60
        )
        record, dockerfile = tmp_path / "record", tmp_path / "Dockerfile"
        calls = record.read_text().replace(str(tmp_path), "/tmp").replace(commit, "COMMIT") if record.exists() else ""
        built = dockerfile.read_text() if dockerfile.exists() else ""
        return Build(done.returncode, done.stdout + done.stderr, calls.splitlines(), built)

    return build


BUILT = (
    "build --progress plain --file /tmp/Dockerfile --tag 127.0.0.1:5600/shop/api:COMMIT "
    "--build-arg BUILDKIT_CACHE_MOUNT_NS=127.0.0.1:5600/7 "
    "--label org.opencontainers.image.revision=COMMIT --label cabestan.project=shop/api -- ."
)


def test_the_commit_is_built_and_pushed(run) -> None:
    text = "FROM debian:12\nRUN true\n"
    done = run({"Dockerfile": text})
    assert (done.returncode, done.calls) == (0, [BUILT, "with login: push 127.0.0.1:5600/shop/api:COMMIT"]), done.output
    assert done.dockerfile == text


def test_each_tag_and_each_argument_is_given_whole(run) -> None:
    done = run(
        {"web/Dockerfile": "FROM debian:12\n"},
        TAGS="a 0.2",
        DOCKERFILE="web/Dockerfile",
        CONTEXT="web",
        BUILD_ARGUMENTS="A=x y\nB=$(id) `id` ; *",
        TARGET="production",
    )
    assert done.calls == [
        "build --progress plain --file /tmp/Dockerfile --build-arg A=x y --build-arg B=$(id) `id` ; * "
        "--target production "
        "--tag 127.0.0.1:5600/shop/api:a --tag 127.0.0.1:5600/shop/api:0.2 "
        "--build-arg BUILDKIT_CACHE_MOUNT_NS=127.0.0.1:5600/7 "
        "--label org.opencontainers.image.revision=COMMIT --label cabestan.project=shop/api -- web",
        "with login: push 127.0.0.1:5600/shop/api:a",
        "with login: push 127.0.0.1:5600/shop/api:0.2",
    ], done.output


def test_lines_are_rewritten_as_planned_and_no_others(run) -> None:
    text = (
        "ARG BASE=shop/base\n"
        "FROM shop/base:0.2 AS one\n"
        "from --platform=linux/amd64 \\\n  ${BASE} as two\r\n"
        "RUN <<EOF\nFROM shop/base:0.2\nEOF\n"
        "COPY --from=shop/base:0.2 /x /x\n"
    )
    ours = "127.0.0.1:5600/shop/base:COMMIT"
    planned = rewrites(text, {"shop/base:0.2": ours, "${BASE}": ours})
    done = run({"Dockerfile": text}, REWRITES="\n".join(f"{one.first} {one.last} {one.text}" for one in planned))
    assert done.dockerfile.splitlines() == [
        "ARG BASE=shop/base",
        f"FROM {ours} AS one",
        f"FROM --platform=linux/amd64 {ours} as two",
        "RUN <<EOF",
        "FROM shop/base:0.2",
        "EOF",
        f"COPY --from={ours} /x /x",
    ], done.output


@pytest.mark.parametrize(
    ("missing", "pulls"), [("0", []), ("1", ["with login: pull --quiet 127.0.0.1:5600/shop/base:1"])]
)
def test_a_base_in_the_registry_is_pulled_before_the_build_which_has_no_login(run, missing: str, pulls: list) -> None:
    bases = "shop/base 127.0.0.1:5600/shop/base:1\nacme/node:18 cabestan/node:18"
    done = run({"Dockerfile": "FROM shop/base\n"}, BASES=bases, MISSING=missing)
    assert done.calls == [*pulls, BUILT, "with login: push 127.0.0.1:5600/shop/api:COMMIT"], done.output


def test_the_login_of_the_registry_is_as_docker_reads_it(run, tmp_path: Path) -> None:
    run({"Dockerfile": "FROM debian:12\n"})
    known = json.loads((tmp_path / "registry/config.json").read_text())
    assert known == {"auths": {"127.0.0.1:5600": {"auth": "bG9naW4="}}}


@pytest.mark.parametrize(("failing", "calls"), [("build", 1), ("push", 5)])
def test_a_failure_of_docker_fails_the_job_and_shows_its_words(run, failing: str, calls: int) -> None:
    done = run({"Dockerfile": "FROM debian:12\n"}, FAILING=failing)
    assert done.returncode != 0
    assert len(done.calls) == calls
    assert "no such luck" in done.output


def test_a_push_that_fails_in_passing_is_tried_again(run) -> None:
    done = run({"Dockerfile": "FROM debian:12\n"}, FAILING="push", TIMES="3")
    assert (done.returncode, len(done.calls)) == (0, 5)


def test_a_build_whose_engine_went_away_is_to_be_run_again(run) -> None:
    done = run({"Dockerfile": "FROM debian:12\n"}, FAILING="build", ENGINE="1")
    assert done.returncode == 255


def test_a_commit_that_is_not_there_fails_at_once(run) -> None:
    done = run({"Dockerfile": "FROM debian:12\n"}, CI_COMMIT_SHA="0" * 40)
    assert (done.returncode, done.calls) == (1, [])


def test_a_missing_dockerfile_fails_before_anything_is_built(run) -> None:
    done = run({"README": "x"})
    assert (done.returncode != 0, done.calls) == (True, [])
