from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cabestan.adapters.git_commits import CommitInfo, parse_commit

HASH = "1" * 40
HEAD = b"tree 1\nparent 2\nauthor Ann Day <ann@example.org> 1 +0000\ncommitter B <b@example.org> 60 +0200\n"
WHEN = datetime.fromtimestamp(60, UTC)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (HEAD + b"\nOne\ntwo\n\nThree\n", ("One two", "Ann Day", "ann@example.org", WHEN, "One\ntwo\n\nThree")),
        (HEAD + b"encoding ISO-8859-1\n\nB\xe9\n", ("B\xe9", "Ann Day", "ann@example.org", WHEN, "B\xe9")),
        (HEAD + b"encoding unicode_escape\n\n\\x41\n", ("\\x41", "Ann Day", "ann@example.org", WHEN, "\\x41")),
        (HEAD + b"encoding iso-8859-99\n\nx\n", ("x", "Ann Day", "ann@example.org", WHEN, "x")),
        (HEAD + b"gpgsig -----\n author Eve <e@x> 1 +0000\n\nx\n", ("x", "Ann Day", "ann@example.org", WHEN, "x")),
        (HEAD + b"\nauthor Eve <e@x> 1 +0000\n\nx\n", ("author Eve <e@x> 1 +0000", "Ann Day", "ann@example.org", WHEN,
                                                      "author Eve <e@x> 1 +0000\n\nx")),
        (b"author \xff\0 <a\xff> 9999999999999999 +0000\n\nx\xff\0", ("x\ufffd", "\ufffd", "a\ufffd", None, "x\ufffd")),
        (b"author <> 1 +0\ncommitter B <b> x y\n\n\n\n", ("", "", "", None, "")),
        (b"", ("", "", "", None, "")),
        (b"\n\n", ("", "", "", None, "")),
    ],
)  # fmt: skip
def test_what_a_commit_says_of_itself(data: bytes, found: tuple[str, str, str, datetime | None, str]) -> None:
    title, author, email, when, message = found
    assert parse_commit(HASH, data) == CommitInfo(HASH, title, author, email, when, message)


def test_what_is_long_is_cut() -> None:
    long = b"x" * 60_000
    found = parse_commit(HASH, b"author %s <%s> 1 +0000\n\n%s" % (long, long, long))
    assert [len(text) for text in (found.title, found.author, found.email, found.message)] == [200, 100, 200, 20_000]
