import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.errors import Conflict, Invalid, NotFound
from cabestan.store.logs import Found, LogReader, LogStore, frames, layout
from cabestan.store.logs.lines import LONGEST_LINE


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path)


def written(store: LogStore, *blocks: bytes, log_id: str = "1") -> LogReader:
    with store.writer(log_id) as writer:
        for block in blocks:
            writer.feed(block)
        writer.end()
    return store.reader(log_id)


def naive_lines(data: bytes) -> list[tuple[int, int, str]]:
    found, offset = [], 0
    for number, line in enumerate(data.split(b"\n"), 1):
        found.append((number, offset, line.decode("utf-8", "replace")))
        offset += len(line) + 1
    return found if data and not data.endswith(b"\n") else found[:-1]


def listed(reader: LogReader, number: int, count: int) -> list[tuple[int, int, str]]:
    return [(line.number, line.offset, line.text) for line in reader.lines_from(number, count)]


def test_a_log_that_does_not_exist_yet_is_empty_and_appears(store: LogStore) -> None:
    reader = store.reader("1")
    assert (reader.size(), reader.lines(), reader.read(0, 10), reader.lines_from(1, 5)) == (0, 0, b"", [])
    assert (reader.search("x"), list(reader.chunks()), reader.ended()) == (Found([], None), [], False)
    written(store, b"one\n")
    assert (reader.read(0, 10), reader.ended()) == (b"one\n", True)


def test_reads_stay_within_the_log(store: LogStore) -> None:
    reader = written(store, b"0123456789")
    assert [reader.read(*where) for where in ((0, 4), (8, 9), (10, 1), (99, 1), (-1, 5), (3, 0))] == [
        b"0123", b"89", b"", b"", b"", b"",
    ]  # fmt: skip


def found_by_and_by(reader: LogReader, query: str, limit: int = 1000, ignore_case: bool = False) -> dict[int, None]:
    """By as many searches as it takes."""
    lines: dict[int, None] = {}
    start: int | None = 0
    while start is not None:
        found = reader.search(query, limit, ignore_case, start)
        assert found.next is None or found.next > start or found.more
        lines |= dict.fromkeys(found.lines)
        start = found.next
    return lines


lines_of = st.lists(st.text("aä\r", max_size=5).map(str.encode) | st.binary(max_size=30), max_size=30)


@given(lines_of, st.integers(-2, 40), st.integers(0, 40), st.integers(1, 40))
def test_lines_and_searches_agree_with_a_naive_reading(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], number: int, count: int, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cabestan.store.logs.writer.ENTRY_BYTES", 8)
        patch.setattr("cabestan.store.logs.reader.CHUNK", chunk)
        store = LogStore(tmp_path_factory.mktemp("logs"))
        reader = written(store, *(part + b"\n" * (len(part) % 3) for part in parts))
        data = reader.read(0, 1 << 20)
        lines = naive_lines(data)
        assert reader.lines() == len(lines)
        assert listed(reader, number, count) == [
            line for line in lines if max(1, number) <= line[0] < max(1, number) + count
        ]
        for query in ("a", "aa", "Ä", "\r", "0"):
            assert reader.search(query).lines == [n for n, _, text in lines if query in text]
            folded = [n for n, _, text in lines if query.casefold() in text.casefold()]
            assert reader.search(query, ignore_case=True).lines == folded
            assert reader.search(query, limit=2).lines == reader.search(query).lines[:2]
            for searched in (1 << 20, 40):
                patch.setattr("cabestan.store.logs.reader.SEARCHED", searched)
                assert [*found_by_and_by(reader, query, ignore_case=True)] == folded
                assert [*found_by_and_by(reader, query, limit=1)] == [n for n, _, text in lines if query in text]
            patch.setattr("cabestan.store.logs.reader.SEARCHED", 1 << 20)


@pytest.mark.parametrize("query", ["", "a\nb", "x" * 1001])
def test_an_unusable_search_is_refused(store: LogStore, query: str) -> None:
    with pytest.raises(Invalid):
        store.reader("1").search(query)


def test_lines_carry_the_time_of_their_arrival(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([5_000, 5_500, 6_100, 9_000])
    monkeypatch.setattr("cabestan.store.logs.writer.now_ms", lambda: next(clock))
    reader = written(store, b"a\n", b"b\n", b"c\n", b"d\n")
    assert [line.time_ms for line in reader.lines_from(1, 9)] == [5_000, 5_000, 6_100, 9_000]


def test_an_endless_line_is_cut_where_lines_are_listed(store: LogStore) -> None:
    reader = written(store, b"x" * (3 << 20), b"y\nshort\n")
    long, short = reader.lines_from(1, 5)
    assert (len(long.text), short.offset, short.text) == (LONGEST_LINE, (3 << 20) + 2, "short")
    assert reader.search("xy").lines == [1]


def test_long_lines_are_listed_until_their_bytes_are_too_many(store: LogStore) -> None:
    reader = written(store, b"a" * 900 + b"\n" + b"b" * 100 + b"\nc\n")
    assert [[line.text[:1] for line in reader.lines_from(at, 9, 1000)] for at in (1, 2, 3)] == [
        ["a", "b"],
        ["b", "c"],
        ["c"],
    ]
    assert [line.number for line in reader.lines_from(1, 9, 10)] == [1]


def test_a_search_looks_through_so_much_and_says_where_to_go_on(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cabestan.store.logs.reader.SEARCHED", 20)
    reader = written(store, b"0123456789 needle\n0123\nand a Needle here\n" + b"z" * 60)
    assert reader.search("needle", ignore_case=True) == Found([1], 18)
    assert reader.search("needle", ignore_case=True, start=18) == Found([], 23)
    assert reader.search("needle", ignore_case=True, start=23) == Found([3], 41)
    assert reader.search("z", start=60) == Found([4], 76)
    assert reader.search("e", limit=0) == Found([], 0, more=True)
    assert reader.search("e", start=10_000) == Found([], None)


def test_of_a_million_lines_only_those_near_by_are_read(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"".join(
        b"%08d the quick brown fox jumps over the lazy dog again and again and again\n" % n for n in range(1_000_000)
    )
    with store.writer("1") as writer:
        for at in range(0, len(text), 16 << 10):
            writer.feed(text[at : at + (16 << 10)])
    reader, read = store.reader("1"), []
    chunks = LogReader.chunks

    def counted(self: LogReader, offset: int = 0) -> Iterator[bytes]:
        for chunk in chunks(self, offset):
            read.append(len(chunk))
            yield chunk

    monkeypatch.setattr(LogReader, "chunks", counted)
    assert reader.lines() == 1_000_000
    for number in (1, 123_456, 500_000, 999_990):
        assert [line.text[:8] for line in reader.lines_from(number, 3)] == [
            f"{n - 1:08}" for n in range(number, number + 3)
        ]
    assert sum(read) <= 8 << 20  # of 80 MB
    assert [*found_by_and_by(reader, "00999999", 5)] == [1_000_000]
    assert reader.search("FOX", 3, ignore_case=True).lines == [1, 2, 3]


def test_a_packed_log_reads_the_same_and_is_plain_gzip(store: LogStore, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(frames, "FRAME", 1000)
    data = b"".join(b"line %d\n" % n for n in range(2_000)) + b"no end"
    before = written(store, data)
    assert before.read(0, 1) == b"l"
    store.compress("1")
    store.compress("1")
    after = LogReader("1", layout.LogPaths.of(tmp_path, "1"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.frames", "1.idx", "1.log.gz"]
    assert gzip.decompress((tmp_path / "1.log.gz").read_bytes()) == data
    for reader in (before, after):
        assert b"".join(reader.chunks()) == data
        assert [reader.read(at, 1500) for at in (0, 999, 1000, 15_000, len(data) - 3)] == [
            data[at : at + 1500] for at in (0, 999, 1000, 15_000, len(data) - 3)
        ]
        assert listed(reader, 700, 200) == naive_lines(data)[699:899]
        assert reader.search("line 1999").lines == [2000]
    after.close()


def test_an_empty_log_can_be_packed(store: LogStore, tmp_path: Path) -> None:
    written(store)
    store.compress("1")
    assert gzip.decompress((tmp_path / "1.log.gz").read_bytes()) == b""
    assert store.reader("1").read(0, 5) == b""


def test_only_an_ended_log_is_packed_and_a_packed_one_takes_no_lines(store: LogStore) -> None:
    with store.writer("1") as writer:
        writer.feed(b"one\n")
    with pytest.raises(Conflict, match="has not ended"):
        store.compress("1")
    written(store)
    store.compress("1")
    with pytest.raises(Conflict, match="compressed"):
        store.writer("1")


@pytest.mark.parametrize("left", ["1.log.gz.new", "1.frames.new", "1.frames"])
def test_packing_that_was_interrupted_is_done_again(store: LogStore, tmp_path: Path, left: str) -> None:
    written(store, b"one\n")
    (tmp_path / left).write_bytes(b"half")
    store.compress("1")
    assert LogStore(tmp_path).reader("1").read(0, 9) == b"one\n"


def test_a_deleted_log_is_empty_for_new_readers(store: LogStore, tmp_path: Path) -> None:
    written(store, b"one\n")
    store.delete("1")
    store.delete("1")
    assert list(tmp_path.iterdir()) == []
    assert store.reader("1").size() == 0


def test_a_log_whose_bytes_are_gone_says_so(store: LogStore, tmp_path: Path) -> None:
    reader = written(store, b"one\n")
    (tmp_path / "1.log").unlink()
    with pytest.raises(NotFound, match="The log 1 is gone"):
        reader.read(0, 9)


def test_an_unpacked_log_takes_more_lines(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    with store.writer("1") as writer:
        writer.attach("first")
        writer.feed(b"one\n")
        writer.end()
    store.compress("1")
    store.unpack("1")
    store.unpack("1")
    with store.writer("1") as writer:
        writer.attach("second")
        writer.feed(b"two\n")
        writer.end()
    assert b"".join(store.reader("1").chunks()) == b"one\ntwo\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.idx", "1.log"]


def test_a_reader_that_is_let_go_is_not_handed_out_again(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may ask for one at any moment, also while the files of the last one are being closed."""
    reader = written(store, b"one\ntwo\n")
    assert reader.search("two").lines == [2]
    found: list[list[int]] = []
    close = os.close

    def closing(file: int) -> None:
        close(file)
        if not found:
            found.append([])
            found[0] = store.reader("1").search("two").lines

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", closing)
        del reader
    assert found == [[2]]


def test_of_a_line_without_end_no_more_is_read_than_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines after it are found through the index."""
    store = LogStore(tmp_path)
    with store.writer("1") as writer:
        for text in (
            b"first\n",
            *(b"x" * (64 << 10) for _ in range(512)),
            b"\n",
            b"third\n",
            b"y" * (3 << 20),
            b"\nlast",
        ):
            writer.feed(text)
        writer.finish()
        writer.end()
    read = 0
    original = LogReader._read_up_to

    def counted(reader: LogReader, offset: int, end: int) -> bytes:
        nonlocal read
        piece = original(reader, offset, end)
        read += len(piece)
        return piece

    monkeypatch.setattr(LogReader, "_read_up_to", counted)
    with store.reader("1") as reader:
        lines = reader.lines_from(1, 9)
        assert [(line.number, line.text[:5]) for line in lines] == [
            (1, "first"), (2, "xxxxx"), (3, "third"), (4, "yyyyy"), (5, "last"),
        ]  # fmt: skip
        assert [len(line.text) for line in lines[1:4:2]] == [64 << 10] * 2
        assert lines[2].offset == 6 + (512 * (64 << 10)) + 1
    assert read < 12 << 20
