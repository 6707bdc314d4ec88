from __future__ import annotations

from cabestan.checks.report import COLOURED, report, summary
from cabestan.domain.finding import Finding

TEXT = "services:\n  web:\n    privileged: true\n"
FINDING = Finding(
    "no-privileged", "error", "a.yml", 3, 5, "services.web.privileged", "It is not allowed.", "Remove it."
)


def test_people_read_place_line_caret_and_remedy() -> None:
    assert report([FINDING], {"a.yml": TEXT}.get) == (
        "a.yml:3:5: error: It is not allowed. [no-privileged]\n"
        "    3 |     privileged: true\n"
        "      |     ^\n"
        "  → Remove it.\n\n"
        "1 error.\n"
    )


def test_colours_are_sequences_of_terminals() -> None:
    assert report([FINDING], {"a.yml": TEXT}.get, COLOURED).startswith(
        "\x1b[1ma.yml:3:5:\x1b[0m \x1b[1;31merror:\x1b[0m It is not allowed. \x1b[2m[no-privileged]\x1b[0m\n"
    )


def test_what_a_terminal_would_obey_is_left_out() -> None:
    finding = Finding("a", "warning", "a.yml", 1, 3, "", "\x1b[2Jgone\u202e", "")
    assert report([finding], {"a.yml": "\x1b[31mred\n"}.get) == (
        "a.yml:1:3: warning: [2Jgone [a]\n    1 | [31mred\n      |   ^\n\n1 warning.\n"
    )


def test_a_line_that_is_not_there_has_no_excerpt() -> None:
    finding = Finding("a", "error", "gone.yml", 9, 1, "", "Gone.", "")
    assert report([finding], {}.get) == "gone.yml:9:1: error: Gone. [a]\n\n1 error.\n"


def test_the_summary_counts() -> None:
    warning = Finding("b", "warning", "a", 1, 1, "", "", "")
    assert summary([]) == "Nothing found."
    assert summary([FINDING, FINDING, warning]) == "2 errors, 1 warning."
