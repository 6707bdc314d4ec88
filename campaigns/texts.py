"""Random texts from good ones: cut, joined, mixed up, with what parsers stumble on. The same seed gives the same."""

import random
from collections.abc import Callable, Sequence

#: what parsers of lines, quotes, numbers and characters have stumbled on
NASTY = (
    "", " ", "\t", "\x00", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "\u202e", "\ud800", "\U0001f4a9", "é", "\x1b[2J",
    "\\", "\\\\", "'", '"', "`", "{", "}", "[", "]", "{{.Node.Hostname}}", "{{", "$", "$$", "${", "${A", "${A:-}",
    "${A:-${B}}", "${A:?}", "${A?x}", "$A", "${CI_REGISTRY_IMAGE}", "&a", "*a", "*b", "!!binary x",
    "!!python/name:os.system", "!reset", "!override", "<<: *a", "? a", "- ", "---", "...", "%YAML 9.9", "#",
    "# syntax=x", "|", ">", "|9", "null", "~", "yes", "0o17", "0x1F", "1e400", ".nan", "-.inf", "1:60", "2001-01-01",
    "-1", "0", "65536", "99999999999999999999", "0.1.2", "1m", "1mm", "10GB", "a" * 300, "a" * 70_000, "/", "//",
    "..", "../..", "/etc/passwd", "\\\\host\\c$", "C:\\x", "~/x", "http://127.0.0.1:5600/x", "a@sha256:b",
    "127.0.0.1:5600/other/app", "a:b:c:d", ":", "::", "a=b=c", "=", "--", "-h", "\\\n", "<<EOF", "<<-'EOF' <<B",
    "EOF",
)  # fmt: skip


def mutated(rng: random.Random, texts: Sequence[str], most: int = 6) -> str:
    """One of the texts after one to `most` changes, most often few."""
    text = rng.choice(texts)
    for _ in range(min(rng.randint(1, most), rng.randint(1, most))):
        text = rng.choice(_CHANGES)(rng, text, texts)
    return text[:200_000]


def _lines(change: Callable[[random.Random, list[str]], None]) -> Callable[[random.Random, str, Sequence[str]], str]:
    def changed(rng: random.Random, text: str, _texts: Sequence[str]) -> str:
        lines = text.split("\n")
        change(rng, lines)
        return "\n".join(lines)

    return changed


def _drop(rng: random.Random, lines: list[str]) -> None:
    del lines[rng.randrange(len(lines))]


def _double(rng: random.Random, lines: list[str]) -> None:
    place = rng.randrange(len(lines))
    lines.insert(rng.randrange(len(lines) + 1), lines[place])


def _swap(rng: random.Random, lines: list[str]) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _indent(rng: random.Random, lines: list[str]) -> None:
    place = rng.randrange(len(lines))
    lines[place] = rng.choice(["  ", " ", "\t", "    "]) + lines[place] if rng.random() < 0.5 else lines[place].lstrip()


def _value(rng: random.Random, lines: list[str]) -> None:
    """What stands behind the first blank or colon becomes something else."""
    place = rng.randrange(len(lines))
    head, sign, _ = lines[place].partition(rng.choice([": ", " ", "=", "- "]))
    lines[place] = head + sign + rng.choice(NASTY)


def _join(rng: random.Random, lines: list[str]) -> None:
    place = rng.randrange(len(lines))
    lines[place : place + 2] = [rng.choice(["", " ", "\\"]).join(lines[place : place + 2])]


def _insert(rng: random.Random, text: str, _texts: Sequence[str]) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(NASTY) + text[place:]


def _flip(rng: random.Random, text: str, _texts: Sequence[str]) -> str:
    if not text:
        return text
    place = rng.randrange(len(text))
    return text[:place] + chr(rng.choice([rng.randrange(128), rng.randrange(0x3000)])) + text[place + 1 :]


def _cut(rng: random.Random, text: str, _texts: Sequence[str]) -> str:
    a, b = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return text[:a] + text[b:]


def _splice(rng: random.Random, text: str, texts: Sequence[str]) -> str:
    """The beginning of one and the end of another."""
    other = rng.choice(texts)
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _repeat(rng: random.Random, text: str, _texts: Sequence[str]) -> str:
    a, b = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return text[:b] + text[a:b] * rng.choice([1, 2, 10, 200]) + text[b:]


_CHANGES: tuple[Callable[[random.Random, str, Sequence[str]], str], ...] = (
    *map(_lines, (_drop, _double, _swap, _indent, _value, _value, _value, _join)),
    _insert,
    _insert,
    _flip,
    _cut,
    _splice,
    _repeat,
)
