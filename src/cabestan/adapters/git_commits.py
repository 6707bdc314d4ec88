"""What a commit says of itself, out of its object's bytes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

#: of a commit's object are read: far more than is kept of its message
READ_BYTES = 64 * 1024
#: the engine hands each variable over as one text, which has its bounds
_MESSAGE_LENGTH = 20_000
_PERSON = re.compile(r"(.*?) ?<([^<>]*)> (-?[0-9]{1,20}) [+-][0-9]+")
#: those that people have; other codecs of Python's decode something else, or take their time
_ENCODING = re.compile(
    r"iso-?8859-?\d{1,2}|latin-?[15]|(windows-|cp)125\d|koi8-[ru]|euc-(jp|kr)|shift_?jis|gbk?|gb2312|big5"
)


@dataclass(frozen=True)
class CommitInfo:
    """`title` is the first line of the message, `author` the name alone; what is long is cut."""

    commit: str
    title: str
    author: str
    email: str = ""
    committed_at: datetime | None = None
    message: str = ""


def parse_commit(commit: str, data: bytes) -> CommitInfo:
    """Any bytes: what is no text is shown as well as can be, and what is missing is empty."""
    head, _, body = data.partition(b"\n\n")
    encoding = _encoding(head)
    fields = dict(reversed([_field(line, encoding) for line in head.split(b"\n") if not line.startswith(b" ")]))
    author, email, _ = _person(fields.get("author", ""))
    *_, seconds = _person(fields.get("committer", ""))
    message = _text(body, encoding)
    title = " ".join(message.lstrip("\n").partition("\n\n")[0].split("\n")).strip()
    return CommitInfo(commit, title[:200], author[:100], email[:200], _moment(seconds), message[:_MESSAGE_LENGTH])


def _encoding(head: bytes) -> str:
    found = re.search(rb"^encoding (.{1,40})$", head, re.MULTILINE)
    name = found[1].decode("ascii", "replace").lower() if found else ""
    return name if _ENCODING.fullmatch(name) else "utf-8"


def _field(line: bytes, encoding: str) -> tuple[str, str]:
    name, _, value = _text(line, encoding).partition(" ")
    return name, value


def _text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, "replace").replace("\0", "").rstrip("\n")
    except LookupError:  # a number of an encoding that Python does not have
        return data.decode(errors="replace").replace("\0", "").rstrip("\n")


def _person(text: str) -> tuple[str, str, str]:
    found = _PERSON.fullmatch(text)
    return (found[1].strip(), found[2].strip(), found[3]) if found else ("", "", "")


def _moment(seconds: str) -> datetime | None:
    """A commit may hold any number; None for what is no time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
