"""What Git says of the objects of a commit: the lines of its tree, and contents."""

from collections.abc import Iterator
from dataclasses import dataclass

#: modes of a tree's entries
FILES, LINK, SUBMODULE = ("100644", "100755"), "120000", "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a tree. `path` is relative to the repository's root.

    `size` is that of its object, 0 for a submodule, whose object is elsewhere.
    """

    mode: str
    object: str
    size: int
    path: str


def parse_entries(output: str) -> Iterator[Entry]:
    """The answer of `git ls-tree -r -l -z`: `<mode> <type> <object> <size>\\t<path>\\0`."""
    for record in output.split("\0"):
        meta, tab, path = record.partition("\t")
        words = meta.split()
        if tab and len(words) == 4:
            yield Entry(words[0], words[2], int(words[3]) if words[3].isdecimal() else 0, path)


def parse_blobs(output: bytes) -> dict[str, bytes]:
    """The answer of `git cat-file --batch`: `<object> <type> <size>\\n<content>\\n`; missing ones are left out."""
    found, at = {}, 0
    while (end := output.find(b"\n", at)) >= 0:
        words = output[at:end].decode().split()
        at = end + 1
        if len(words) == 3 and words[2].isdecimal():
            found[words[0]] = output[at : at + int(words[2])]
            at += int(words[2]) + 1
    return found
