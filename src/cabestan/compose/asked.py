"""What files ask for without saying it themselves: variables without a default, and secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cabestan.compose.model import ComposeFile
from cabestan.compose.nodes import Spot


@dataclass(frozen=True, slots=True)
class Asked:
    """A name, and where it is asked for first. `words` are those of `${NAME:?words}`."""

    name: str
    spot: Spot = field(compare=False)
    required: bool = False
    secret: bool = False
    words: str = ""


@dataclass(slots=True)
class Questions:
    """Collects them while a file is read; what is required somewhere is required."""

    known: dict[str, Asked] = field(default_factory=dict)

    def note(self, spot: Spot, name: str, words: str | None = None) -> None:
        """`words` are nothing where the name may be missing."""
        known = self.known.get(name)
        if known is None or (words is not None and not known.required):
            self.known[name] = Asked(name, spot, required=words is not None, words=words or "")

    def note_all(self, spot: Spot, asked: Mapping[str, str | None]) -> None:
        for name, words in asked.items():
            self.note(spot, name, words)

    def with_secrets(self, compose: ComposeFile) -> tuple[Asked, ...]:
        """In the order in which they are asked for, those that are files among them."""
        files = (file for service in compose.services for file in service.secrets)
        found = {**self.known}
        for file in files:
            found.setdefault(file.secret, Asked(file.secret, file.spot, required=True, secret=True))
        return tuple(found.values())


def without(asked: Iterable[Asked], *known: Iterable[str]) -> tuple[Asked, ...]:
    """Those that nobody knows."""
    names = {name for given in known for name in given}
    return tuple(one for one in asked if one.name not in names)
