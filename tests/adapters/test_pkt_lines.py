from __future__ import annotations

import pytest

from cabestan.adapters.pkt_lines import (
    STILL_HERE,
    Commands,
    content_length,
    pkt_line,
    refusal,
    result_of,
    taken,
    tells_of_an_end,
    words,
)


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"0000", 0), (b"0001", 0), (b"0004", 0), (b"0005", 1), (b"fff0", 65516), (b"fff1", None), (b"zzzz", None),
        (b"", None), (b"00", None), (b"-001", None), (b"0_05", None), (b"+005", None), (b" 005", None),
        (b"\xff" * 4, None),
    ],
)  # fmt: skip
def test_the_length_of_a_line(head: bytes, length: int | None) -> None:
    assert content_length(head) == length


def commands(capabilities: bytes) -> Commands:
    made = Commands()
    made.take(b"shallow " + b"1" * 40)
    made.take(b"%s %s refs/heads/a\0 %s\n" % (b"0" * 40, b"1" * 40, capabilities))
    made.take(b"%s %s refs/heads/with space\n" % (b"0" * 40, b"1" * 40))
    return made


def test_what_a_push_wants_to_move() -> None:
    made = commands(b"report-status side-band-64k agent=git/2")
    assert made.refs == ["refs/heads/a", "refs/heads/with space"]
    assert made.capabilities == {"report-status", "side-band-64k", "agent=git/2"}


def test_what_git_took_is_read_out_of_its_result() -> None:
    result = (
        pkt_line(b"unpack ok\n"),
        pkt_line(b"ok refs/heads/a\n"),
        pkt_line(b"option new-oid 1\n"),
        pkt_line(b"ng refs/heads/b protected\n"),
        pkt_line(b"ok refs/tags/v1"),
        b"0000",
    )
    packet = b"\x01" + b"".join(result)
    assert taken(result_of(packet)) == ("refs/heads/a", "refs/tags/v1")
    assert [result_of(other) for other in (b"\x02ok refs/heads/c", b"", STILL_HERE)] == [b"", b"", b""]
    assert [taken(cut_off) for cut_off in (b"", b"00", b"zzzz")] == [(), (), ()]


def test_capabilities_may_come_with_any_line_but_that_of_where_a_clone_ends() -> None:
    made = commands(b"report-status")
    assert (made.has_options, made.in_bands) == (False, False)
    made.take(b"shallow " + b"1" * 40 + b"\0push-options")
    assert not made.has_options
    made.take(b"%s %s refs/heads/c\0push-options side-band" % (b"0" * 40, b"1" * 40))
    assert (made.has_options, made.in_bands, "report-status" in made.capabilities) == (True, True, True)


def test_a_refusal_tells_the_author_and_git() -> None:
    report = [
        pkt_line(b"unpack not taken\n"),
        pkt_line(b"ng refs/heads/a not taken\n"),
        pkt_line(b"ng refs/heads/with space not taken\n"),
        b"0000",
    ]
    beside = b"".join((pkt_line(b"\x02Too much.\n"), *(pkt_line(b"\x01" + part) for part in report), b"0000"))
    assert refusal(commands(b"report-status side-band-64k"), ["Too much."]) == beside
    assert refusal(commands(b"report-status"), ["Too much."]) == b"".join(report)
    assert refusal(commands(b""), ["Too much."]) == b""


def test_no_line_is_longer_than_a_packet() -> None:
    assert max(map(len, words(["x" * 100_000, "é" * 100_000]))) < 1000
    made = Commands(frozenset({"report-status"}), ["r" * 60_000])
    assert len(refusal(made, [])) < 2000


def test_git_tells_that_a_process_of_its_own_ended() -> None:
    assert tells_of_an_end(b"\x01" + pkt_line(b"unpack index-pack abnormal exit\n"))
    assert not tells_of_an_end(b"\x02fatal: abnormal exit")
    assert not tells_of_an_end(b"\x01" + pkt_line(b"unpack ok\n"))
