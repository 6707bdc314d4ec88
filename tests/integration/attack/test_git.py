"""What a developer's Git can send to a running platform: the server takes no more than its bounds, and serves on."""

from __future__ import annotations

import base64
import gzip
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from tests.integration.harness import Platform
from tests.repositories import Checkout, run_git

from cabestan.adapters.pkt_lines import pkt_line

pytestmark = pytest.mark.integration


class Attacker:
    """With a project of its own and a clone of it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.name = platform.make_project({}).name
        self.checkout = Checkout.make(folder)

    @property
    def url(self) -> str:
        return f"http://me:{self.platform.token}@{self.platform.host}:{self.platform.port}/{self.name}.git"

    def push(self, *refs: str) -> subprocess.CompletedProcess[bytes]:
        return run_git(self.checkout.path, "push", self.url, *refs, check=False)

    def send(self, service: str, body: bytes) -> httpx.Response:
        address = f"http://{self.platform.host}:{self.platform.port}/{self.name}.git/{service}"
        headers = {"Content-Type": f"application/x-{service}-request", "Content-Encoding": "gzip"}
        return httpx.post(address, content=body, auth=("me", self.platform.token), headers=headers, timeout=60)

    def begin(self, service: str) -> socket.socket:
        """A request that is never finished."""
        login = base64.b64encode(f"me:{self.platform.token}".encode()).decode()
        connection = socket.create_connection((self.platform.host, self.platform.port), timeout=20)
        connection.sendall(
            f"POST /{self.name}.git/{service} HTTP/1.1\r\nHost: {self.platform.host}\r\n"
            f"Authorization: Basic {login}\r\nContent-Type: application/x-{service}-request\r\n"
            "Content-Length: 1000\r\n\r\n0032".encode()
        )
        return connection


@pytest.fixture
def attacker(platform: Platform, tmp_path: Path) -> Iterator[Attacker]:
    made = Attacker(platform, tmp_path / "checkout")
    yield made
    # whatever was tried: the server answers, no process of Git is left, and nothing was built
    assert platform.answers
    assert backends(platform) == []
    assert all(pipeline["branch"] == "main" for pipeline in platform.pipelines(made.name))


def backends(platform: Platform) -> list[int]:
    """Processes of Git that serve this platform's repositories."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            serves = b"http-backend" in (folder / "cmdline").read_bytes()
            if serves and str(platform.data).encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def test_a_million_files_in_some_hundred_bytes_on_thirty_branches(attacker: Attacker) -> None:
    bomb = attacker.checkout.tree_bomb()
    done = attacker.push(*(f"{bomb}:refs/heads/b{number}" for number in range(30)))
    assert done.returncode != 0
    words = f"{attacker.name}: Commit {bomb[:12]} has more than 50000 files and folders (commit_files)"
    assert words.encode() in done.stderr
    assert str(attacker.platform.data).encode() not in done.stderr


def test_names_of_refs_and_lists_of_commits_without_end_in_some_kilobytes(attacker: Attacker) -> None:
    names = pkt_line(b"%s %s refs/heads/%s" % (b"0" * 40, b"1" * 40, b"n" * 60_000)) * 40
    assert attacker.send("git-receive-pack", gzip.compress(names)).status_code == 200
    wants = attacker.send("git-upload-pack", gzip.compress(pkt_line(b"want " + b"1" * 40 + b"\n") * 150_000))
    assert b"ERR The list of what is wanted and there is too long." in wants.content


def test_zeros_in_a_pack(attacker: Attacker) -> None:
    """60 KB that become 60 MB; what may be kept of a commit is more than that here, so it is stored, in no memory."""
    with (attacker.checkout.path / "zeros").open("wb") as file:
        file.truncate(60_000_000)
    attacker.checkout.git("-c", "core.bigFileThreshold=1m", "-c", "core.compression=1", "add", "zeros")
    attacker.checkout.git("commit", "-qm", "zeros")
    done = attacker.push("main")
    assert done.returncode == 0, done.stderr


def test_requests_without_an_end_while_somebody_clones(attacker: Attacker, platform: Platform, tmp_path: Path) -> None:
    work = platform.make_project({"a": "1"})
    assert work.push().code == 0
    with ExitStack() as connections:
        for number in range(100):
            connections.enter_context(attacker.begin("git-receive-pack" if number % 2 else "git-upload-pack"))
        address = work.address.replace("http://", f"http://me:{platform.token}@")
        run_git(tmp_path, "clone", "--quiet", address, "clone")
        assert backends(platform) == []
    assert (tmp_path / "clone" / "a").read_text() == "1"


def test_a_push_of_501_branches(attacker: Attacker) -> None:
    attacker.checkout.commit({"a": "1"})
    done = attacker.push(*(f"main:refs/heads/b{number}" for number in range(501)))
    assert f"remote: This push to {attacker.name} moves more than 500 branches and tags.".encode() in done.stderr
    assert b"remote: Nothing of this push was stored. Push them in several parts." in done.stderr
