"""Why a build failed: what BuildKit printed is recorded in `build_logs`, as it came."""

from pathlib import Path

import pytest

from cabestan.domain.why import Why
from cabestan.pipeline.build_log import Lines, why_failed

_LOGS = Path(__file__).parent / "build_logs"


def lines(name: str) -> Lines:
    return list(enumerate((_LOGS / f"{name}.txt").read_text().splitlines(), 1))


def shown(why: Why) -> list[str]:
    """The first three lines."""
    return why.text.splitlines()[:3]


def test_a_run_that_fails_is_told_with_its_own_last_lines() -> None:
    why, line = why_failed(lines("run"))
    command = (
        'echo fetching things; for i in 1 2 3; do echo "step $i of npm"; done; echo "npm ERR! missing script: biuld"'
    )
    assert shown(why) == [
        f"Step 3/4 of the Dockerfile ended with exit code 3: RUN {command} >&2; exit 3",
        "    npm ERR! missing script: biuld",
        "    fetching things",
    ]
    assert lines("run")[line - 1] == (line, "#7 1.070 npm ERR! missing script: biuld")


def test_of_stages_that_are_built_beside_each_other_the_one_that_failed_is_told() -> None:
    why, line = why_failed(lines("stages"))
    what = "RUN sleep 0.3; echo two is talking; make all"
    assert why == Why(
        f"Step 2/2 of stage two of the Dockerfile ended with exit code 127: {what}",
        ("/bin/sh: 1: make: not found", "two is talking"),
        "A command was not found: is it installed in this image?",
    )
    assert lines("stages")[line - 1][1] == "#6 1.839 /bin/sh: 1: make: not found"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("copy", "Step 2/2 of the Dockerfile needs /nothere.txt, which is not there: COPY nothere.txt /x"),
        ("syntax", "Dockerfile, line 2: unknown instruction: RNU."),
        ("nobase", "The base image localhost:1/nothing:9 cannot be had."),
    ],
)
def test_what_cannot_be_built_is_told_in_one_sentence(name: str, told: str) -> None:
    why, line = why_failed(lines(name))
    assert why.headline == told or why.headline.startswith(told)
    assert "ERROR" in lines(name)[line - 1][1]


def test_newer_builders_say_it_with_other_words() -> None:
    said = [
        "#9 [build 3/3] RUN npm ci",
        "#9 0.51 npm ERR! code ENOENT",
        '#9 ERROR: process "/bin/sh -c npm ci" did not complete successfully: exit code: 254',
        "------",
        " > [build 3/3] RUN npm ci:",
        "0.51 npm ERR! code ENOENT",
        "------",
    ]
    why, line = why_failed(list(enumerate(said, 101)))
    assert why.text == (
        "Step 3/3 of stage build of the Dockerfile ended with exit code 254: RUN npm ci\n    npm ERR! code ENOENT"
    )
    assert line == 102


def test_output_without_end_is_told_by_its_end_and_named_by_the_last_block() -> None:
    """The step's own beginning is beyond what is looked at."""
    said = [*(f"#9 1.0 line {number}" for number in range(30)), "#9 ERROR: executor failed running [x]: exit code: 1"]
    why, line = why_failed(list(enumerate([*said, " > [2/2] RUN x:"], 1)))
    assert why.headline == "Step 2/2 of the Dockerfile ended with exit code 1: RUN x"
    assert (why.lines[0], why.lines[-1], line) == ("line 15", "line 29", 16)


def test_what_is_no_build_s_word_is_told_by_the_last_lines() -> None:
    why, line = why_failed([(1, "\x1b[1;36mBuilding web\x1b[0m"), (2, "denied: no room\r")])
    assert why == Why("The build ended before it was done. Its last lines:", ("Building web", "denied: no room"))
    assert line == 1
