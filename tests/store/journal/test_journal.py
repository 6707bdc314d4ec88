"""A journal gives each line once and in order, whatever is killed; it is searched, bounded, and followed."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabestan.domain.journal import Origin, Position, Said, Source
from cabestan.errors import Invalid
from cabestan.store.journal import JournalReader, Journals, JournalWriter, Query, Taken
from cabestan.store.journal.query import required_words

_START = 1_700_000_000 * 10**9
WEB, DB = Source("web", Origin.SERVICE, 1, 7, "aaa"), Source("db", Origin.MANAGED, 0, 0, "bbb")
ROUTER = Source("web", Origin.ACCESS, 0, 0, "ccc")


def taken(*texts: str, source: Source = WEB, at: int = 0, error: bool = False) -> Taken:
    lines = [(source, Said(_START + at + place, error, text.encode())) for place, text in enumerate(texts)]
    return Taken(lines, {source.container: Position(total=at + len(texts))})


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "journals")


@pytest.fixture
def writer(journals: Journals) -> Iterator[JournalWriter]:
    made = journals.writer(1)
    yield made
    made.close()


def texts(lines: Sequence[object]) -> list[str]:
    return [line.text.decode() for line in lines]  # type: ignore[attr-defined]


def all_of(reader: JournalReader, **query: object) -> list[str]:
    return texts(reader.back(Query(**query), 10**6).lines)  # type: ignore[arg-type]


def test_lines_come_back_with_what_is_known_of_them(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("one", "", "thr\u00e9e"))
    writer.append(taken("four", source=DB, at=3, error=True))
    found = journals.reader(1).back(Query(), 10)
    assert texts(found.lines) == ["one", "", "thrée", "four"]
    assert [line.number for line in found.lines] == [1, 2, 3, 4]
    assert (found.lines[3].source, found.lines[3].error, found.lines[3].time) == (DB, True, _START + 3)
    assert (found.next, found.before) == (5, False)


def test_an_empty_journal_has_nothing(journals: Journals) -> None:
    reader = journals.reader(1)
    assert (reader.back(Query(), 10).lines, reader.on(1, Query(), 10).next, reader.bounds()) == ([], 1, (1, 1))
    assert (reader.sources(), reader.size(), journals.present()) == (frozenset(), 0, ())


@given(st.lists(st.lists(st.sampled_from(["a", "", "b c", "{}"]), max_size=4), max_size=12), st.data())
def test_a_kill_at_any_byte_keeps_whole_records_and_their_positions(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[str]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    writer = JournalWriter(folder, segment_bytes=data.draw(st.sampled_from([200, 400, 10**6])))
    sizes = []
    for count, lines in enumerate(appends):
        writer.append(
            Taken([(WEB, Said(_START + count, False, text.encode())) for text in lines], {"aaa": Position(total=count)})
        )
        sizes.append(writer.next_number)
    writer.close()
    newest = max(folder.glob("*.open"))
    size = newest.stat().st_size
    cut = data.draw(st.integers(0, size))
    os.truncate(newest, cut)
    again = JournalWriter(folder)
    said = [text for lines in appends for text in lines]
    kept = again.next_number - 1
    assert all_of(JournalReader(folder)) == said[:kept]
    if kept:
        assert again.next_number in {1, *sizes}
    if cut == size and appends:
        assert again.positions["aaa"].total == len(appends) - 1
    again.append(taken("after"))
    assert all_of(JournalReader(folder))[-1] == "after"
    again.close()


def test_a_flipped_bit_ends_what_is_read_of_an_open_segment(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("one"))
    writer.append(taken("two", at=1))
    writer.close()
    (path,) = (Path(journals._folder) / "1").glob("*.open")
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    again = journals.writer(1)
    assert all_of(journals.reader(1)) == ["one"]
    assert again.next_number == 2
    again.close()
    writer._file = os.open(os.devnull, os.O_RDONLY)


_STOPS = ("rename", "unlink", "write_bytes")


@pytest.mark.parametrize("stop", range(8))
def test_a_kill_while_it_is_packed_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """At each of its changes to the folder."""
    writer = JournalWriter(tmp_path)
    said = [f"line {number}" for number in range(50)]
    writer.append(taken(*said))
    left = iter([None] * stop)

    class Killed(BaseException):
        pass

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def change(*arguments: object, **options: object) -> object:
            if next(left, Killed) is Killed:
                raise Killed
            return real(*arguments, **options)

        return change

    with monkeypatch.context() as patched:
        for name in _STOPS:
            patched.setattr(Path, name, counted(getattr(Path, name)))
        with suppress(Killed):
            writer.pack()
    assert all_of(JournalReader(tmp_path)) == said
    again = JournalWriter(tmp_path)
    assert (again.next_number, again.positions["aaa"].total) == (51, 50)
    again.append(taken("after"))
    assert all_of(JournalReader(tmp_path)) == [*said, "after"]
    assert not [path for path in tmp_path.iterdir() if path.suffix not in (".open", ".packed")]
    again.close()


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(taken("one"))
    real = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        real(file, data[:20], offset)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            writer.append(taken("lost", source=DB, at=1))
    assert all_of(JournalReader(tmp_path)) == ["one"]
    writer.append(taken("two", source=DB, at=1))
    found = JournalReader(tmp_path).back(Query(), 10).lines
    assert [(line.source, line.text) for line in found] == [(WEB, b"one"), (DB, b"two")]
    writer.close()


def filled(writer: JournalWriter, count: int = 6000) -> list[str]:
    """Packed several times, with an open end."""
    chosen = random.Random(4)
    words = ["GET", "user", "timeout", "handshake", "refused", "Ärger"]
    said = [f"{number} {' '.join(chosen.choices(words, k=4))}" for number in range(count)]
    for at in range(0, count, 100):
        source = DB if at % 1000 == 0 else WEB
        writer.append(taken(*said[at : at + 100], source=source, at=at))
        if at % 1700 == 0:
            writer.pack()
    return said


def test_the_newest_that_match_are_found_from_the_end(journals: Journals, writer: JournalWriter) -> None:
    said = filled(writer)
    reader = journals.reader(1)
    for pattern, holds in (
        ("handshake", lambda text: "handshake" in text),
        ("(?i)HANDSHAKE", lambda text: "handshake" in text),
        ("^1\\d* ", lambda text: text.startswith("1")),
        ("timeout$", lambda text: text.endswith("timeout")),
        ("refused.*GET", lambda text: "refused" in text and "GET" in text[text.index("refused") :]),
        ("[^a]user", lambda text: "user" in text),
        ("nowhere", lambda _text: False),
        ("", lambda _text: True),
    ):
        expected = [text for text in said if holds(text)]
        found = reader.back(Query(pattern=pattern), 100)
        assert texts(found.lines) == expected[-100:], pattern
        assert found.before is (len(expected) > 100)


def test_pages_back_and_on_meet(journals: Journals, writer: JournalWriter) -> None:
    said = filled(writer, 2000)
    reader, query = journals.reader(1), Query(services=frozenset({"web"}))
    expected = [text for number, text in enumerate(said) if (number // 100) % 10]
    back: list[str] = []
    older, before = True, None
    while older:
        found = reader.back(query, 170, before)
        back = texts(found.lines) + back
        older, before = found.before, found.lines[0].number
    on: list[str] = []
    number = 1
    while (more := reader.on(number, query, 170)).lines:
        on += texts(more.lines)
        number = more.next
    assert back == on == expected
    assert number == 2001


def test_who_follows_gets_each_line_once_while_it_is_written_and_packed(
    journals: Journals, writer: JournalWriter
) -> None:
    tail, got, said = journals.reader(1).tail(1, Query()), [], []
    chosen = random.Random(7)
    for at in range(300):
        said.append(str(at))
        writer.append(taken(str(at), at=at))
        if chosen.random() < 0.1:
            writer.pack()
        if chosen.random() < 0.4:
            got += texts(tail.more(chosen.randint(1, 5)).lines)
    while more := tail.more(10).lines:
        got += texts(more)
    assert got == said


def test_a_query_has_all_its_conditions_hold(journals: Journals, writer: JournalWriter) -> None:
    writer.append(
        taken('{"status": 500, "user": {"id": 4}, "msg": "Out"}', '{"status": 200}', "plain", '{"status": "500"', "[5]")
    )
    writer.append(taken("asked", source=ROUTER, at=10))
    writer.append(taken("wrong", at=11, error=True))
    reader = journals.reader(1)
    assert all_of(reader, fields={"status": "500"}) == ['{"status": 500, "user": {"id": 4}, "msg": "Out"}']
    assert all_of(reader, fields={"user.id": "4", "msg": "Out"}) == ['{"status": 500, "user": {"id": 4}, "msg": "Out"}']
    assert all_of(reader, fields={"user.id": "4", "msg": "In"}) == []
    assert "asked" not in all_of(reader)
    assert all_of(reader, origins=frozenset(Origin), pattern="asked") == ["asked"]
    assert all_of(reader, errors_only=True) == ["wrong"]
    assert all_of(reader, since=_START + 3, until=_START + 11) == ['{"status": "500"', "[5]"]
    assert all_of(reader, replica=2) == []
    writer.pack()
    assert all_of(reader, fields={"msg": "Out"}) == ['{"status": 500, "user": {"id": 4}, "msg": "Out"}']
    assert reader.at(_START + 11) == 7
    assert reader.at(_START + 12) == 8
    assert reader.sources() == {WEB, ROUTER}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("Handshake", ["handshake"]),
        ("(?i)TimeOut after", ["timeout", "after"]),
        ("colou?r", ["colo"]),
        ("abcd*e", ["abc"]),
        ("abcd+e", ["abcd"]),
        ("abcd{0,3}", ["abc"]),
        ("level=error", ["level", "error"]),
        ("one|two", []),
        ("(one)", []),
        (r"\bword\b", ["word"]),
        (r"a\.bcd", ["bcd"]),
        ("[abc]def", ["def"]),
        ("x", []),
        ("(?i)straße", []),
        (r"\Qabc\E", []),
        (r"abc\x41", []),
    ],
)
def test_words_that_a_match_must_have(pattern: str, words: list[str]) -> None:
    assert list(required_words(pattern)) == words


@pytest.mark.parametrize("pattern", ["(", "a\nb", "x" * 1001, "(?P<a>", "*"])
def test_what_is_no_expression_is_told(pattern: str) -> None:
    with pytest.raises(Invalid) as refused:
        Query(pattern=pattern)
    assert "?m" not in str(refused.value)


def test_an_expression_takes_bounded_time(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("a" * 50_000))
    assert all_of(journals.reader(1), pattern="(a*)*b") == []


def test_a_flood_takes_away_its_own_lines(journals: Journals, writer: JournalWriter) -> None:
    chosen = random.Random(1)
    quiet = [f"quiet {number}" for number in range(40)]
    loud = []
    for at in range(40):
        writer.append(taken(quiet[at], source=DB, at=at))
        flood = [f"{chosen.getrandbits(900):x}" for _ in range(100)]
        loud += flood
        writer.append(taken(*flood, at=at))
        if at % 10 == 9:
            writer.pack()
    reader = journals.reader(1)
    before = reader.size()
    journals.bound(1, before // 2, 0)
    assert reader.size() <= before // 2
    assert all_of(reader, services=frozenset({"db"})) == quiet
    left = all_of(reader, services=frozenset({"web"}))
    assert 0 < len(left) < len(loud)
    assert left == loud[-len(left) :]
    numbers = [line.number for line in reader.back(Query(), 10**6).lines]
    assert numbers == sorted(numbers)
    assert numbers[-1] == len(quiet) + len(loud)


def test_what_is_too_old_goes(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("old"))
    writer.pack_old(_START + 2 * 86400 * 10**9)
    writer.append(taken("new", at=86400 * 10**9))
    journals.bound(1, 10**9, _START + 1)
    assert all_of(journals.reader(1)) == ["new"]
    assert journals.reader(1).bounds() == (2, 3)


def test_numbers_go_on_after_everything_has_gone(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("old"))
    writer.pack()
    writer.close()
    journals.bound(1, 0, _START + 10**12)
    again = journals.writer(1)
    assert again.next_number == 2
    again.close()
    writer._file = os.open(os.devnull, os.O_RDONLY)


def test_positions_of_containers_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(taken("one"))
    writer.append(taken("two", source=DB))
    writer.forget({"aaa"})
    writer.pack()
    writer.close()
    again = JournalWriter(tmp_path)
    assert set(again.positions) == {"bbb"}
    again.close()


def test_deleted_is_gone(journals: Journals, writer: JournalWriter) -> None:
    writer.append(taken("one"))
    assert journals.present() == (1,)
    journals.delete(1)
    assert (journals.present(), all_of(journals.reader(1))) == ((), [])
