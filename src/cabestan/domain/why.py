"""Why something ended badly, in one form everywhere: a sentence, what was said, and what to do about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from cabestan.errors import CabestanError, StepFailed

#: of what was said the last lines tell most
MOST_LINES = 15
_LONGEST_LINE = 500
_INDENT = "    "
#: what a terminal would obey
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Why:
    """`headline` is one sentence: the thing, the place, what came. `lines` are verbatim.

    As text, which is what is kept as the reason of a job, a pipeline or a deployment, it begins with the headline; the
    lines follow it, indented by four spaces, and then the remedy. Without lines all of it is one line.
    """

    headline: str
    lines: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def text(self) -> str:
        if not self.lines:
            return f"{self.headline} {self.remedy}".strip()
        indented = (f"{_INDENT}{line}" for line in self.lines)
        return "\n".join((self.headline, *indented, *((self.remedy,) if self.remedy else ())))

    @classmethod
    def of(cls, text: str) -> Self:
        """What such a text says; of any other one, its first line is the headline."""
        headline, _, rest = text.partition("\n")
        told = rest.split("\n") if rest else []
        said = [line.removeprefix(_INDENT) for line in told if line.startswith(_INDENT)]
        return cls(headline, tuple(said), "\n".join(line for line in told if not line.startswith(_INDENT)))

    def of_part(self, name: str) -> Self:
        """Of the part with that name."""
        return replace(self, headline=f"{name}: {self.headline}")


def headline(text: str) -> str:
    """The first sentence of a reason."""
    return Why.of(text).headline


def of_error(error: CabestanError) -> Why:
    if isinstance(error, StepFailed):
        return Why(error.message, error.lines, error.remedy)
    return Why.of(str(error))


def last_lines(text: str | Iterable[str], most: int = MOST_LINES) -> tuple[str, ...]:
    """The last ones that say something, as a terminal would show them. None is cut: a secret in it could else not be
    found any more.
    """
    given = text.splitlines() if isinstance(text, str) else text
    told = [shown for line in given if (shown := _ESCAPES.sub("", line).rstrip().expandtabs(4))]
    return tuple(told[-most:])


def shortened(text: str) -> str:
    """A text without secrets, its lines no longer than is read."""
    return "\n".join(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in text.split("\n"))
