import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.redaction import Redactor
from cabestan.errors import Conflict, Invalid
from cabestan.store.logs import LogStore

SECRET = "hunter2-hunter3"


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path)


def content(store: LogStore, log_id: str = "1") -> bytes:
    with store.reader(log_id) as reader:
        return b"".join(reader.chunks())


def test_line_ends_of_a_terminal_become_plain_ones_across_blocks(store: LogStore) -> None:
    with store.writer("1") as writer:
        for block in (b"one\r", b"\ntwo\r\n", b"10%\r20%\r", b"30%\n", b"\r\r\n", b"end\r"):
            writer.feed(block)
        assert content(store) == b"one\ntwo\n10%\r20%\r30%\n\r\nend"
        writer.finish()
        assert content(store) == b"one\ntwo\n10%\r20%\r30%\n\r\nend\r"


def test_what_was_consumed_is_remembered_for_the_same_source_only(store: LogStore) -> None:
    with store.writer("1") as writer:
        assert writer.attach("container-a") == 0
        writer.feed(b"one\r\ntwo")
    with store.writer("1") as writer:
        assert writer.attach("container-a") == 8
        assert writer.attach("container-b") == 0
        writer.feed(b"\r\nthree\r\n")
        assert writer.attach("container-b") == 9
    assert content(store) == b"one\ntwo\nthree\n"


def test_what_is_held_back_is_not_counted_and_appears_at_the_end(store: LogStore) -> None:
    with store.writer("1", Redactor([f"{SECRET}\nand more"])) as writer:
        writer.attach("a")
        writer.feed(f"x\r\n{SECRET}\r\nand".encode())
        assert (content(store), writer.head.raw) == (b"x\n", 3)
        writer.finish()
        assert (content(store), writer.head.raw) == (b"x\n[secret]\nand", 3 + len(SECRET) + 5)


def test_a_note_starts_a_line_and_is_written_once(store: LogStore) -> None:
    with store.writer("1", Redactor([SECRET])) as writer:
        writer.feed(b"half a line")
        assert writer.note("engine restarted, running again", key="restart 1")
        assert not writer.note("engine restarted, running again", key="restart 1")
    with store.writer("1", Redactor([SECRET])) as writer:
        assert not writer.note("engine restarted, running again", key="restart 1")
        assert writer.note(f"the token is {SECRET}", key="other")
    assert content(store) == b"half a line\nengine restarted, running again\nthe token is [secret]\n"


def test_beyond_its_largest_size_a_log_says_so_once_and_counts_on(tmp_path: Path) -> None:
    store = LogStore(tmp_path, largest=100)
    with store.writer("1") as writer:
        writer.attach("a")
        for _ in range(20):
            writer.feed(b"0123456789012345678\r\n")
        assert writer.head.raw == 20 * 21
        writer.note("still noted", key="n")
    lines = content(store).decode().splitlines()
    assert lines == ["0123456789012345678"] * 5 + [
        "(the log has reached 100 bytes: what follows is not kept)",
        "still noted",
    ]


def test_a_second_writer_is_refused(store: LogStore) -> None:
    with store.writer("1"), pytest.raises(Conflict, match=r"1\.log has a writer already"):
        store.writer("1")
    store.writer("1").close()


@pytest.mark.parametrize("log_id", ["", "../x", "a/b", "é", "x" * 101, "a.log"])
def test_an_id_that_is_no_file_name_is_refused(store: LogStore, log_id: str) -> None:
    with pytest.raises(Invalid):
        store.writer(log_id)


def test_bytes_beyond_the_head_are_never_seen_and_cut_off(store: LogStore, tmp_path: Path) -> None:
    with store.writer("1") as writer:
        writer.feed(b"one\n")
    with open(tmp_path / "1.log", "ab") as log, open(tmp_path / "1.idx", "ab") as index:
        log.write(b"left by a killed process")
        index.write(b"left over")
    assert content(store) == b"one\n"
    with store.writer("1") as writer:
        writer.feed(b"two\n")
    assert content(store) == b"one\ntwo\n"


def test_bytes_lost_by_the_machine_are_told_of(store: LogStore, tmp_path: Path) -> None:
    with store.writer("1") as writer:
        writer.attach("a")
        writer.feed(b"one\r\ntwo\r\nthree\r\n")
    os.truncate(tmp_path / "1.log", 6)
    with store.writer("1") as writer:
        assert writer.attach("a") == 17
        writer.feed(b"four\r\n")
    assert content(store) == b"one\ntw\n(some lines were lost when the machine stopped)\nfour\n"
    assert [line.text for line in store.reader("1").lines_from(3, 9)][1:] == ["four"]


def test_a_full_disk_leaves_the_log_as_it_was(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.writer("1") as writer:
        writer.attach("a")
        writer.feed(b"one\r\n")
        with monkeypatch.context() as patch:
            patch.setattr("cabestan.store.logs.writer.os.pwrite", full_disk)
            with pytest.raises(OSError, match="No space"):
                writer.feed(b"two\r\n")
    with store.writer("1") as writer:
        assert writer.attach("a") == 5
        writer.feed(b"two\r\n")
    assert content(store) == b"one\ntwo\n"


def full_disk(*_: object) -> int:
    raise OSError(28, "No space left on device")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)), st.lists(st.booleans(), min_size=50, max_size=50))
def test_any_blocks_and_any_restarts_give_the_same_log(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, cuts: list[int], restarts: list[bool]
) -> None:
    raw = noise.replace(b"\x01", b"\r\n").replace(b"\x02", SECRET.encode()) + SECRET.encode() + b"\r\n" + noise
    store, redactor = LogStore(tmp_path_factory.mktemp("logs")), Redactor([SECRET, "\n" + SECRET[:9]])
    writer = store.writer("1", redactor)
    writer.attach("a")
    at = 0
    for cut, restart in zip([*sorted(cut % len(raw) for cut in cuts), len(raw)], restarts * 9, strict=False):
        writer.feed(raw[at:cut])
        at = cut
        if restart:
            writer.close()
            writer = store.writer("1", redactor)
            at = writer.attach("a")
    writer.feed(raw[at:])
    writer.finish()
    assert content(store) == redactor.redact(raw.replace(b"\r\n", b"\n"))
    assert writer.head.raw == len(raw)
    writer.close()


WRITER = """
import random, sys, time
from pathlib import Path
from cabestan.domain.redaction import Redactor
from cabestan.store.logs import LogStore

raw = Path(sys.argv[2]).read_bytes()
with LogStore(Path(sys.argv[1])).writer("1", Redactor([sys.argv[3]])) as writer:
    writer.note("started", key="start")
    at = writer.attach("a")
    print("on", flush=True)
    while at < len(raw):
        size = random.choice([1, 7, 300, 5000])
        writer.feed(raw[at : at + size])
        at += size
        time.sleep(random.random() / 1000)
    writer.end()
"""


def test_a_writer_killed_at_any_moment_leaves_each_line_once(store: LogStore, tmp_path: Path) -> None:
    lines = [f"{n} {SECRET if n % 3 else 'nothing'} {'x' * (n % 80)}" for n in range(20_000)]
    (tmp_path / "raw").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    kills = 0
    while run_writer(tmp_path, random.uniform(0, 0.12)):
        kills += 1
    assert kills > 3
    assert content(store).decode().splitlines() == [
        "started",
        *(line.replace(SECRET, "[secret]") for line in lines),
    ]
    assert store.reader("1").ended()


def run_writer(directory: Path, seconds: float) -> bool:
    """Whether the writer had to be killed."""
    command = [sys.executable, "-c", WRITER, str(directory), str(directory / "raw"), SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
    return process.returncode != 0
