"""The router's log, as lines of many environments."""

import json
from collections.abc import Sequence

from cabestan.adapters.container_lines import Message
from cabestan.domain.journal import Position
from cabestan.engine.journal.access import AccessTap, Requests


class FakeStream:
    ended = False

    def __init__(self, *messages: Message) -> None:
        self._messages = messages

    def read(self) -> Sequence[Message]:
        return self._messages


def request(time: int, environment: int, path: str = "/") -> Message:
    told = {"RouterName": f"cabestan-{environment}-x@swarm", "RequestPath": path, "Duration": 0}
    return Message(time, False, json.dumps(told).encode(), True)


def paths(part: Requests) -> list[str]:
    return [json.loads(line.text)["path"] for line in part.waiting.lines]


def test_each_environment_gets_its_own_and_what_was_taken_is_dropped() -> None:
    known = {1: Requests("r", 1, Position(newest=2, total=1), 100), 2: Requests("r", 2, Position(), 100)}
    tap = AccessTap("r", "cabestan", known.get)
    messages = (request(1, 1, "/a"), request(2, 1, "/b"), request(3, 1, "/c"), request(3, 2, "/d"), request(4, 9, "/e"))
    tap.begin(FakeStream(*messages, Message(5, False, b"a warning", True)), 0.0)  # type: ignore[arg-type]
    tap.read(0.0)
    assert {part.environment_id: paths(part) for part in tap.parts()} == {1: ["/c"], 2: ["/d"]}
    lines, known[1].waiting.lines = known[1].waiting.lines, []
    assert known[1].took(lines).newest == 3
    assert not tap.is_done


def test_a_flood_of_requests_is_bounded() -> None:
    part = Requests("r", 1, Position(), 2)
    tap = AccessTap("r", "cabestan", lambda _id: part)
    tap.begin(FakeStream(*(request(10 + place, 1) for place in range(5))), 0.0)  # type: ignore[arg-type]
    tap.read(0.0)
    part.note_dropped(5.0)
    assert [line.note for line in part.waiting.lines] == [False, False, True]
