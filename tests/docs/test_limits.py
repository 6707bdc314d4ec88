"""docs/limits.md has the numbers of the code."""

from pathlib import Path

from cabestan.web.front.bounds import Bounds

_PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def test_the_bounds_are_those_of_the_code() -> None:
    table = _PAGE.read_text()
    rows = {row.split("|")[1].strip(): row.split("|")[2] for row in table.splitlines() if row.startswith("| ")}
    usual = Bounds()
    for words, values in {
        "connections at the same time": [usual.connections],
        "of one address, or of one network of 64 bits in IPv6": [usual.connections_per_address],
        "live streams of one user": [usual.streams_per_user],
        "request line and headers, together": [usual.head_bytes, usual.headers],
        "address, in the request line": [usual.url_bytes],
        "time until all headers are there": [usual.head_seconds],
        "requests that are sent ahead of the answers": [usual.pipelined],
        "silence between two requests of a connection": [usual.idle_seconds],
        "body, of a request without a good token or session": [usual.unknown_body_bytes],
        "body, of all others": [usual.body_bytes],
        "time until the body is there": [usual.body_seconds],
        "bodies that are not answered yet, all together": [usual.held_bytes],
        "silence in the middle of a push": [usual.stalled_seconds],
        "an answer of which the client takes nothing": [usual.unread_seconds],
        "parameters in an address, fields of a form": [usual.parameters, usual.fields],
        "lists and objects in one another, in JSON": [usual.json_depth],
    }.items():
        for value in values:
            assert f"{value:.0f}" in rows[words], words
    assert f"{usual.reserve} more are taken" in table
