"""Server-sent events out of a stream of bytes, parsed by blocks."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is empty where the event had none. `data` is what stood in its data lines, joined by line ends."""

    kind: bytes
    id: bytes
    data: bytes


class EventParser:
    """Give it blocks as they come, cut anywhere; an event comes out when its closing empty line has come in."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, block: bytes) -> Iterator[Event]:
        text = self._rest + block
        held = b""
        if b"\r" in text:  # other line ends than \n are allowed; one may be cut in the middle
            held = b"\r" if text.endswith(b"\r") else b""
            text = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *frames, rest = text.split(b"\n\n")
        self._rest = rest + held
        for frame in frames:
            event = _parsed(frame)
            if event is not None:
                yield event


def _parsed(frame: bytes) -> Event | None:
    """None for what is only a comment."""
    fields: dict[bytes, list[bytes]] = {}
    for line in frame.split(b"\n"):
        name, _, value = line.partition(b":")
        if name:
            fields.setdefault(name, []).append(value.removeprefix(b" "))
    if not fields:
        return None
    return Event(
        fields.get(b"event", [b"message"])[-1], fields.get(b"id", [b""])[-1], b"\n".join(fields.get(b"data", []))
    )
