"""docs/limits.md has the numbers of the code."""

from pathlib import Path

from cabestan.checks import contexts
from cabestan.domain import tree
from cabestan.pipeline import dockerfile, ignoring
from cabestan.web import git_bodies
from cabestan.web.front.bounds import Bounds

_PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def _rows(table: str) -> dict[str, str]:
    return {row.split("|")[1].strip(): row.split("|")[2] for row in table.splitlines() if row.startswith("| ")}


def test_the_bounds_are_those_of_the_code() -> None:
    table = _PAGE.read_text()
    rows = _rows(table)
    usual = Bounds()
    for words, values in {
        "connections at the same time": [usual.connections],
        "of one address, or of one network of 64 bits in IPv6": [usual.connections_per_address],
        "live streams of one user": [usual.streams_per_user],
        "pushes that are followed, of one user": [usual.pushes_per_user],
        "pushes that are followed, of all": [usual.pushes],
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


def test_the_bounds_on_what_is_pushed_are_those_of_the_code() -> None:
    rows = _rows(_PAGE.read_text())
    for words, values in {
        "what a push begins with": [git_bodies.COMMAND_BYTES, git_bodies.COMMAND_LINES],
        "options of a push (`-o`)": [git_bodies.PUSH_OPTIONS],
        "target of a symbolic link": [tree.LONGEST_TARGET],
        "folders that the links on the way to one file name": [tree.MOST_STEPS],
        "instructions of a Dockerfile": [dockerfile.MOST_INSTRUCTIONS],
        "its stages, images of elsewhere, ARGs": [
            dockerfile.MOST_STAGES,
            dockerfile.MOST_IMAGES,
            dockerfile.MOST_ARGUMENTS,
        ],
        "an image's name or an ARG with its variables filled in": [dockerfile.LONGEST_VALUE],
        "patterns of an ignore file": [ignoring.MOST_PATTERNS],
        "one of them, all of them together": [ignoring.LONGEST_PATTERN, ignoring.LONGEST_TOGETHER],
        "sources of a Dockerfile that are looked for": [contexts.MOST_SOURCES, contexts.MOST_WILDCARDS],
        "names that a wildcard is compared with": [contexts.MOST_CHARACTERS],
    }.items():
        for value in values:
            assert str(value) in rows[words], words
