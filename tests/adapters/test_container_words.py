"""What an engine tells of a container, as Docker 20.10 answers."""

from typing import Any

import pytest

from cabestan.adapters.container_words import parse_listeners, parse_words
from cabestan.domain.container_words import ContainerWords, FailedCheck, Listener

_BAD = {"ExitCode": 7, "Output": "curl: (7) Failed to connect\n"}
_GOOD = {"ExitCode": 0, "Output": "ok"}


def _found(status: str, log: list[dict[str, Any]], streak: int = 0, test: tuple[str, ...] = ()) -> dict[str, Any]:
    health = {"Status": status, "FailingStreak": streak, "Log": log}
    return {"State": {"Health": health}, "Config": {"Healthcheck": {"Test": list(test)}}}


@pytest.mark.parametrize(
    ("found", "check"),
    [
        (_found("healthy", [_BAD]), None),
        (_found("unhealthy", []), None),
        (_found("unhealthy", [_BAD, _GOOD]), None),
        (_found("starting", [_GOOD, _BAD, _BAD]), FailedCheck("", 7, 2, ("curl: (7) Failed to connect",))),
        (
            _found("unhealthy", [_BAD], 9, ("CMD-SHELL", "curl -f localhost || exit 7")),
            FailedCheck("curl -f localhost || exit 7", 7, 9, ("curl: (7) Failed to connect",)),
        ),
        (
            _found("unhealthy", [{"ExitCode": 1, "Output": ""}], 1, ("CMD", "test", "-f", "/a b")),
            FailedCheck("test -f '/a b'", 1, 1),
        ),
    ],
)
def test_a_health_check_that_failed_last_is_told_with_its_command(
    found: dict[str, Any], check: FailedCheck | None
) -> None:
    """The engine calls a container unhealthy that ended, also where its check was good."""
    assert parse_words(found, "").check == check


def test_its_last_lines_and_what_memory_did_are_told() -> None:
    assert parse_words({"State": {"OOMKilled": True, "Health": None}}, "one\r\ntwo\n") == ContainerWords(
        ("one", "two"), None, out_of_memory=True
    )
    assert parse_words({"State": {"OOMKilled": True}}, "").why == "it used more memory than it may"
    assert parse_words(_found("unhealthy", [_BAD]), "x").why == (
        "its health check failed (exit code 7): curl: (7) Failed to connect"
    )


_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
_ROW = "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1001        0 12345 1\n"
_HEAD6 = _HEAD.replace("local_address", "local_address                        ")


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], ()),
        ([("00000000:0BB8", "0A")], (Listener(3000),)),
        ([("0100007F:1F90", "0A")], (Listener(8080, inside=True),)),
        # Docker's own server of names, and a connection that is there
        ([("0B00007F:A1B2", "0A"), ("020012AC:0BB8", "01")], ()),
        ([("00000000000000000000000000000000:0BB8", "0A"), ("00000000:0BB8", "0A")], (Listener(3000),)),
        ([("00000000000000000000000001000000:0BB8", "0A")], (Listener(3000, inside=True),)),
        ([("0000000000000000FFFF00000100007F:0BB8", "0A")], (Listener(3000, inside=True),)),
    ],
)
def test_where_a_container_listens_is_read_as_its_kernel_writes_it(
    rows: list[tuple[str, str]], found: tuple[Listener, ...]
) -> None:
    told = _HEAD + "".join(_ROW.format(local=local, state=state) for local, state in rows) + _HEAD6
    assert parse_listeners(told) == found


def test_an_image_without_cat_tells_nothing() -> None:
    assert parse_listeners("OCI runtime exec failed: exec: cat: executable file not found in $PATH: unknown") is None
