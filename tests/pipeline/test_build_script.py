"""The script as bash runs it, with a server, a registry and a `docker` that only write down what they are asked."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from cabestan.pipeline.build_script import BUILD_SCRIPT

DIGEST = f"sha256:{'ab' * 32}"
DOCKER = f"""\
#!/bin/bash
[ "$1" = version ] && exit "${{ENGINE:-0}}"
[ ! -e "$DOCKER_CONFIG/config.json" ] || with="with login"
ls "$WAYS"/*.sock >/dev/null 2>&1 && with="$with, way"
printf '%s%s\\n' "${{with:+$with: }}" "$*" >> "$RECORD"
times=$(grep -c "$1 " "$RECORD")
[ "$1" != "${{FAILING:-}}" ] || {{ [ "$times" -le "${{TIMES:-9}}" ] && echo "no such luck" && exit 3; }}
[ "$1" != push ] || echo "job-7-2: digest: {DIGEST} size: 1570"
exit 0
"""
CURL = """\
#!/usr/bin/env python3
import os, pathlib, shutil, sys
words, record = sys.argv[1:], open(os.environ["RECORD"], "a")
if words[-1].startswith("http://builder/"):
    pings = pathlib.Path(os.environ["RECORD"] + ".pings")
    pings.write_text(pings.read_text() + "." if pings.exists() else ".")
    if len(pings.read_text()) <= int(os.environ.get("STARTING", 0)):
        print("000", end="")
        sys.exit(7)
    print(os.environ.get("ANSWER", "200"), end="")
    sys.exit(0)
output, header = words[words.index("--output") + 1], words[words.index("--header") + 1]
told = words[words.index("--data") + 1] if "--data" in words else ""
print("curl", words[-1], pathlib.Path(header.removeprefix("@")).read_text().strip(), told, file=record)
refused = os.environ.get("REFUSED", "")
times = pathlib.Path(os.environ["RECORD"] + ".asked")
times.write_text(times.read_text() + "." if times.exists() else ".")
if refused or len(times.read_text()) <= int(os.environ.get("AWAY", 0)):
    pathlib.Path(output).write_text(refused)
    print("409" if refused else "503", end="")
elif words[-1].endswith("/source"):
    shutil.copy(os.environ["SOURCE"], output)
    print("200", end="")
else:
    print("200", end="")
"""
SOCAT = """\
#!/usr/bin/env python3
import os, pathlib, socket, sys, time
open(os.environ["RECORD"], "a").write("socat " + " ".join(sys.argv[1:]) + "\\n")
way = socket.socket(socket.AF_UNIX)
way.bind(os.path.relpath(sys.argv[1].split(":")[1].split(",")[0]))
time.sleep(30)
"""


@dataclass(frozen=True)
class Build:
    returncode: int
    output: str
    calls: list[str]


def packed(files: dict[str, str]) -> bytes:
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, BytesIO(text.encode()))
    return archive.getvalue()


@pytest.fixture
def run(tmp_path: Path):
    """Runs the script on a source. What it keeps in /tmp and /run is kept in the test's folder."""

    def build(files: dict[str, str] | None = None, **variables: str) -> Build:
        tools = tmp_path / "tools"
        tools.mkdir()
        for name, text in (("docker", DOCKER), ("docker-buildx", DOCKER), ("curl", CURL), ("socat", SOCAT)):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        source = {"Dockerfile": "FROM x\n", "bases": "", "context/a": ""} | (files or {})
        (tmp_path / "source.tar").write_bytes(packed(source))
        (tmp_path / "token").write_text("t0ken\nregistry.t0ken\n")
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOSTNAME": "here",
            "RECORD": str(tmp_path / "record"),
            "WAYS": str(tmp_path / "builder/registry"),
            "SOURCE": str(tmp_path / "source.tar"),
            "TOKEN_FILE": str(tmp_path / "token"),
            "ATTEMPT": "2",
            "CACHE": "others",
            "PROXY_ARGUMENTS": "",
            "TARGET": "",
            "CI_JOB_ID": "7",
            "CI_COMMIT_SHA": "0123456789abcdef",
            "CI_PROJECT_PATH": "shop/api",
            "CI_REGISTRY": "127.0.0.1:5600",
            "IMAGE": "127.0.0.1:5600/shop/api",
            "DOCKERFILE": "Dockerfile",
            "CONTEXT": ".",
            "BUILD_ARGUMENTS": "",
        }
        (tmp_path / "tmp").mkdir()
        script = BUILD_SCRIPT.replace("/tmp/", f"{tmp_path}/tmp/").replace("/run/builder", f"{tmp_path}/builder")
        script = script.replace("/usr/libexec/docker/cli-plugins", str(tools))
        done = subprocess.run(
            ["bash", "-c", script],
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
        )
        record = tmp_path / "record"
        text = record.read_text().replace(f"{tmp_path}/tmp", "/tmp").replace(f"{tmp_path}/builder", "/run/builder")
        # the name goes while the server is told
        calls = sorted(text.splitlines(), key=lambda call: call.endswith("}")) if DIGEST in text else text.splitlines()
        return Build(done.returncode, done.stdout + done.stderr, calls)

    return build


ASKED = "curl http://server/internal/jobs/7/source Authorization: Bearer t0ken "
BUILT = (
    "build --progress plain --file /tmp/build/Dockerfile{} --tag 127.0.0.1:5600/shop/api:job-7-2 "
    "--build-arg BUILDKIT_CACHE_MOUNT_NS=others "
    "--label org.opencontainers.image.revision=0123456789abcdef --label cabestan.project=shop/api -- /tmp/build/context"
)
WAY = "socat UNIX-LISTEN:/run/builder/registry/7-2.sock,fork,unlink-early UNIX-CONNECT:/run/gate/registry.sock"
PUSHED = [
    WAY,
    "with login, way: push 127.0.0.1:5600/shop/api:job-7-2",
    "image rm 127.0.0.1:5600/shop/api:job-7-2",
    f'curl http://server/internal/jobs/7/image Authorization: Bearer t0ken {{"digest": "{DIGEST}"}}',
]


def test_the_source_is_built_pushed_under_a_name_of_its_own_and_told(run) -> None:
    done = run()
    assert (done.returncode, done.calls) == (0, [ASKED, BUILT.format(""), *PUSHED]), done.output


def test_bases_of_the_registry_are_pulled_before_the_build_which_has_no_way_there(run) -> None:
    bases = ["127.0.0.1:5600/shop/base@sha256:1", "127.0.0.1:5600/cabestan/node@sha256:2"]
    done = run({"bases": "".join(f"{base}\n" for base in bases)}, ANSWER="404")
    pulls = [f"with login, way: pull --quiet {base}" for base in bases]
    assert done.calls == [ASKED, WAY, *pulls, BUILT.format(""), *PUSHED], done.output


def test_a_base_that_the_builder_has_is_not_pulled(run) -> None:
    assert run({"bases": "127.0.0.1:5600/shop/base@sha256:1\n"}).calls[:2] == [ASKED, BUILT.format("")]


@pytest.mark.parametrize("bases", ["", "127.0.0.1:5600/shop/base@sha256:1\n"])
def test_a_builder_that_was_started_just_before_is_waited_for(run, tmp_path: Path, bases: str) -> None:
    assert run({"bases": bases}, STARTING="3").calls[:2] == [ASKED, BUILT.format("")]
    assert len((tmp_path / "record.pings").read_text()) == 4


def test_each_argument_is_given_whole_and_proxies_by_their_name(run) -> None:
    done = run(BUILD_ARGUMENTS="A=x y\nB=$(id) `id` ; *", PROXY_ARGUMENTS="HTTP_PROXY http_proxy", TARGET="live")
    words = (
        " --build-arg A=x y --build-arg B=$(id) `id` ; * --build-arg HTTP_PROXY --build-arg http_proxy --target live"
    )
    assert done.calls[1] == BUILT.format(words), done.output


def test_further_authorities_are_a_secret_of_the_build(run) -> None:
    done = run({"authorities.crt": "PEM"})
    assert done.calls[1] == BUILT.format(" --secret id=cabestan-authorities,src=/tmp/authorities.crt")


def test_no_token_is_an_argument_or_shown(run, tmp_path: Path) -> None:
    done = run()
    assert "t0ken" not in done.output
    assert not any("t0ken" in call for call in done.calls if not call.startswith("curl"))
    known = json.loads((tmp_path / "tmp/registry/config.json").read_text())
    assert known == {"auths": {"127.0.0.1:5600": {"registrytoken": "registry.t0ken"}}}


@pytest.mark.parametrize(("failing", "calls"), [("build", 2), ("push", 7)])
def test_a_failure_of_docker_fails_the_job_and_shows_its_words(run, failing: str, calls: int) -> None:
    done = run(FAILING=failing)
    assert (done.returncode != 0, len(done.calls)) == (True, calls), done.calls
    assert "no such luck" in done.output


def test_a_push_that_fails_in_passing_is_tried_again(run) -> None:
    assert run(FAILING="push", TIMES="1").returncode == 0


def test_a_build_whose_builder_went_away_is_to_be_run_again(run) -> None:
    assert run(FAILING="build", ENGINE="1").returncode == 255


def test_a_server_that_is_away_is_asked_again(run) -> None:
    done = run(AWAY="2")
    assert (done.returncode, done.calls[:4]) == (0, [ASKED, ASKED, ASKED, BUILT.format("")]), done.output


def test_what_the_server_refuses_fails_at_once_in_its_words(run) -> None:
    done = run(REFUSED="The job 7 does not run any more.")
    assert (done.returncode, done.calls) == (1, [ASKED])
    assert "The job 7 does not run any more." in done.output


def test_a_source_that_ends_early_says_why(run) -> None:
    done = run({"refused": "This commit has files of more than 1 bytes."})
    assert (done.returncode, done.calls) == (1, [ASKED])
    assert "more than 1 bytes" in done.output
