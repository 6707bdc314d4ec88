"""Splits a command line into words as Docker does, which is nearly as a shell does.

Quotes group; a backslash takes the next character as it is, outside quotes and in double ones; `#` at the
start of a word begins a comment. Variables, pipes and the like mean nothing: who needs them says `sh -c '…'`.
"""

from __future__ import annotations

_SPACE = frozenset(" \t\r\n")


def split_words(line: str) -> tuple[str, ...]:
    """The words; raises ValueError for a quote that is not closed or a backslash at the end."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] in _SPACE:
            at += 1
        elif line[at] == "#":
            at = _end_of_line(line, at)
        else:
            word, at = _word(line, at)
            words.append(word)
    return tuple(words)


def _end_of_line(line: str, at: int) -> int:
    end = line.find("\n", at)
    return len(line) if end < 0 else end


def _word(line: str, at: int) -> tuple[str, int]:
    letters: list[str] = []
    quote = ""
    while at < len(line) and (quote or line[at] not in _SPACE):
        letter = line[at]
        if letter == "\\" and quote != "'":
            at += 1
            letters.append(_escaped(line, at))
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        else:
            letters.append(letter)
        at += 1
    if quote:
        raise ValueError(f"the quote {quote} is not closed")
    return "".join(letters), at


def _escaped(line: str, at: int) -> str:
    if at >= len(line):
        raise ValueError("a backslash stands at the end")
    return line[at]
