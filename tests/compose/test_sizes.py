"""What no process or no Swarm takes is told before it is tried."""

from __future__ import annotations

import pytest
from tests.compose.samples import context, loaded, web

from cabestan.compose.findings import ComposeRefused, Finding
from cabestan.compose.placeholder import secret_placeholder
from cabestan.compose.render import render
from cabestan.compose.sizes import LONGEST_TEXT, MOST_OF_A_SERVICE, excess, size_of_secret

SECRET = {"KEY": secret_placeholder("API_KEY")}


def findings(text: str, secret: str) -> tuple[Finding, ...]:
    try:
        render(loaded(text, SECRET).compose, context(secret_sizes={"API_KEY": size_of_secret(secret)}))
    except ComposeRefused as refused:
        return refused.findings
    return ()


@pytest.mark.parametrize(("length", "codes"), [(LONGEST_TEXT - 3, []), (LONGEST_TEXT - 2, ["variable-too-long"])])
def test_a_variable_that_linux_gives_no_process_is_refused_with_its_line(length: int, codes: list[str]) -> None:
    """With its name and a `=`: one byte decides."""
    found = findings(web("environment:\n  A: 1\n  V: 'x${KEY}'"), "s" * (length))
    assert [finding.code for finding in found] == codes
    assert [(finding.line, "variable V has 131,072 bytes" in finding.message) for finding in found] == [
        (6, True) for _ in codes
    ]


def test_variables_that_swarm_does_not_take_together_are_named_from_the_largest_on() -> None:
    lines = "\n".join(f"  V{number}: ${{KEY}}" for number in range(12))
    (found,) = findings(web(f"environment:\n{lines}\n  W: 'more${{KEY}}'"), "s" * 60_000)
    assert (found.code, found.path) == ("variables-too-large", "services.web.environment.W")
    assert "W (60,006), V10 (60,004), V11 (60,004)" in found.message
    assert findings(web(f"environment:\n{lines[:-12]}"), "s" * 60_000) == ()


def test_braces_count_as_swarm_is_given_them() -> None:
    braces = "{{a" * (MOST_OF_A_SERVICE // 9)
    assert excess({"A": braces[:120_000], "B": braces[:120_000]}, ()) is not None
    assert excess({"A": braces[:90_000], "B": braces[:120_000]}, ()) is None


def test_a_word_of_the_command_is_measured_too() -> None:
    wrong = excess({}, ["sh", "-c", "é" * (LONGEST_TEXT // 2 + 1)])
    assert wrong
    assert (wrong.code, wrong.message[:41]) == ("variable-too-long", "a word of its command has 131,072 bytes; ")


def test_half_a_character_is_measured_and_breaks_nothing() -> None:
    assert excess({"A": "\udc80"}, ()) is None
