"""On a real engine, with an image made of this machine's shell and perl."""

import contextlib
import io
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabestan.adapters import container_logs
from cabestan.adapters.container_logs import LogSource, copy_log, log_request, parse_answer
from cabestan.errors import EngineUnavailable, Invalid, NotFound
from cabestan.store.logs import LogStore

SECRET = "hunter2-hunter3"
integration = pytest.mark.integration


def test_the_request_asks_for_unchunked_bytes() -> None:
    assert log_request(LogSource(api="1.44"), "a/b", follow=True) == (
        b"GET /v1.44/containers/a%2Fb/logs?follow=1&stdout=1&stderr=1 HTTP/1.0\r\nHost: engine\r\n\r\n"
    )
    assert b"follow=0&stdout=1&stderr=1&tail=5 " in log_request(LogSource(), "a", follow=False, tail=5)


def test_an_answer_is_parsed_once_its_head_is_whole() -> None:
    assert parse_answer(b"HTTP/1.0 200 OK\r\nA: b\r\n") is None
    assert parse_answer(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nfirst") == (200, b"first")


@pytest.mark.parametrize("address", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:9"])
def test_an_engine_that_is_down_is_said_to_be(tmp_path: Path, address: str) -> None:
    with LogStore(tmp_path).writer("1") as writer, pytest.raises(EngineUnavailable, match=re.escape(address)):
        copy_log(LogSource(address), "x", writer, lambda: None)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="ssh"):
        LogSource("ssh://host").connect()


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def root_file_system() -> bytes:
    """A tar with sh, perl and the libraries they need."""
    programs = [shutil.which(name) or name for name in ("sh", "perl")]
    libraries = {path for program in programs for path in re.findall(r"/\S+", run("ldd", program)) if ":" not in path}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
        for path in libraries:
            tar.add(path)
        for program in programs:
            tar.add(program, "bin/" + Path(program).name)
    return packed.getvalue()


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    name = f"cabestan-test-logs:{uuid.uuid4().hex[:8]}"
    subprocess.run(["docker", "import", "-", name], input=root_file_system(), check=True, capture_output=True)
    yield name
    run("docker", "image", "rm", name)


@pytest.fixture
def container() -> Iterator[str]:
    """The name for a container that `start` makes."""
    name = f"cabestan-test-logs-{uuid.uuid4().hex[:8]}"
    yield name
    subprocess.run(["docker", "rm", "-fv", name], check=False, capture_output=True)


def start(image: str, container: str, perl: str) -> None:
    run("docker", "run", "-d", "-t", "--name", container, image, "/bin/perl", "-e", "$| = 1; " + perl)


#: perl that waits for `go_on`
HOLD = "select undef, undef, undef, 0.05 until $go;"


def start_held(image: str, container: str, perl: str) -> None:
    start(image, container, "my $go; $SIG{USR1} = sub { $go = 1 }; " + perl)


def go_on(container: str) -> None:
    run("docker", "kill", "--signal", "USR1", container)


def lines_of(store: LogStore) -> list[str]:
    with store.reader("1") as reader:
        return b"".join(reader.chunks()).decode().split("\n")


@integration
def test_a_log_is_copied_to_its_end_and_a_second_call_adds_nothing(tmp_path: Path, image: str, container: str) -> None:
    start_held(image, container, rf'print "one\n"; {HOLD} print STDERR "10%\r20%\n"; print "no line end";')
    store, appends = LogStore(tmp_path), []

    def advanced() -> None:
        if not appends:
            go_on(container)
        appends.append(writer.head.stored)

    with store.writer("1") as writer:
        assert copy_log(LogSource(), container, writer, advanced)
        assert copy_log(LogSource(), container, writer, lambda: None)
    assert lines_of(store) == ["one", "10%\r20%", "no line end"]
    assert appends[0] == 4


@integration
def test_a_container_that_prints_nothing_has_an_empty_log(tmp_path: Path, image: str, container: str) -> None:
    start(image, container, "exit 3")
    with LogStore(tmp_path).writer("1") as writer:
        assert copy_log(LogSource(), container, writer, lambda: None)
        assert (writer.head.stored, writer.head.notes) == (0, b"")


@integration
def test_an_unknown_container_is_not_found(tmp_path: Path) -> None:
    with (
        LogStore(tmp_path).writer("1") as writer,
        pytest.raises(NotFound, match="No such container: cabestan-no"),
    ):
        copy_log(LogSource(), "cabestan-no", writer, lambda: None)


@integration
def test_copying_can_be_stopped_and_goes_on(tmp_path: Path, image: str, container: str) -> None:
    start_held(image, container, rf'print "$_\n" for 1..15; {HOLD} print "$_\n" for 16..30')
    store = LogStore(tmp_path)
    with store.writer("1") as writer:
        assert not copy_log(LogSource(), container, writer, lambda: None, lambda: writer.head.lines > 0)
        assert 0 < writer.head.lines <= 15
        go_on(container)
        assert copy_log(LogSource(), container, writer, lambda: None)
    assert lines_of(store) == [*map(str, range(1, 31)), ""]


@integration
def test_a_follower_cut_off_early_reads_the_rest(
    tmp_path: Path, image: str, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(image, container, r'print "$_\n" for 1..5000')
    run("docker", "wait", container)
    block = container_logs._Stream.block
    blocks = iter(range(3))
    monkeypatch.setattr(container_logs, "BLOCK", 1000)
    monkeypatch.setattr(
        container_logs._Stream, "block", lambda stream: b"" if next(blocks, None) == 2 else block(stream)
    )
    store = LogStore(tmp_path)
    with store.writer("1") as writer:
        assert copy_log(LogSource(), container, writer, lambda: None)
    assert lines_of(store) == [*map(str, range(1, 5001)), ""]


WRITER = """
import sys
from pathlib import Path
from cabestan.adapters.container_logs import LogSource, copy_log
from cabestan.domain.redaction import Redactor
from cabestan.store.logs import LogStore

with LogStore(Path(sys.argv[1])).writer("1", Redactor([sys.argv[3]])) as writer:
    print("on", flush=True)
    copy_log(LogSource(), sys.argv[2], writer, lambda: None)
    writer.end()
"""


def copy_for(directory: Path, container: str, seconds: float) -> bool:
    """Whether the copying process had to be killed."""
    command = [sys.executable, "-c", WRITER, str(directory), container, SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
    return process.returncode != 0


@integration
def test_killed_at_any_moment_the_log_has_each_line_once(tmp_path: Path, image: str, container: str) -> None:
    """Numbered lines for some seconds, a secret in every third, now and then in two writes."""
    start(
        image,
        container,
        rf"""
        for my $n (1..30000) {{
            print "$n ";
            if ($n % 1000 == 0) {{
                print substr("{SECRET}", 0, 6); select undef, undef, undef, 0.25; print substr("{SECRET}", 6);
            }}
            elsif ($n % 3 == 0) {{ print "{SECRET}" }}
            print "\n";
        }}""",
    )
    kills = 0
    while copy_for(tmp_path, container, random.uniform(0, 0.2 + kills * 0.1)):  # reading again takes longer, too
        kills += 1
    expected = [f"{n} {'[secret]' if n % 3 == 0 or n % 1000 == 0 else ''}" for n in range(1, 30001)]
    assert lines_of(LogStore(tmp_path)) == [*expected, ""]
    assert kills > 3


@integration
def test_a_connection_that_breaks_while_the_container_runs_is_made_again(
    tmp_path: Path, image: str, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_logs, "_SETTLE", 0.1)
    start(image, container, r'for (1..30) { print "$_\n"; select undef, undef, undef, 0.1 }')
    store = LogStore(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server, store.writer("1") as writer:
        threading.Thread(target=forward, args=(server, 400), daemon=True).start()
        assert copy_log(LogSource(address_of(server)), container, writer, lambda: None)
    assert lines_of(store) == [*map(str, range(1, 31)), ""]


@integration
def test_an_engine_elsewhere_is_read_over_tcp(tmp_path: Path, image: str, container: str) -> None:
    start(image, container, r'print "$_\n" for 1..3')
    store = LogStore(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server, store.writer("1") as writer:
        threading.Thread(target=forward, args=(server,), daemon=True).start()
        assert copy_log(LogSource(address_of(server)), container, writer, lambda: None)
    assert lines_of(store) == ["1", "2", "3", ""]


def address_of(server: socket.socket) -> str:
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def forward(server: socket.socket, first_at_most: int = 1 << 30) -> None:
    """Hands one request per connection to the engine, and its answer back; breaks off the first one."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, LogSource().connect() as engine:
                engine.sendall(client.recv(1 << 16))
                while first_at_most > 0 and (block := engine.recv(min(100, first_at_most))):
                    client.sendall(block)
                    first_at_most -= len(block)
            first_at_most = 1 << 30
