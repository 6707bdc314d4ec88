"""What a person sees while images are built."""

import re
import time

import pytest

from cabestan.adapters.images import BuildEvent
from cabestan.cli.progress import Progress


def test_without_a_terminal_an_image_has_one_line_however_much_its_build_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress()
    with progress.step("Preparing the base images"):
        for image in ("debian", "python"):
            for line in range(100):
                progress.report(BuildEvent(image, f"line {line}", float(line)))
    shown = re.sub(r"[\d.]+ s", "N s", capsys.readouterr().err)
    assert shown.splitlines() == [
        "Building the image debian ...",
        "Building the image python ...",
        "Preparing the base images: done in N s",
    ]


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Progress:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    return Progress()


def test_on_a_terminal_one_line_is_rewritten(on_a_terminal: Progress, capsys: pytest.CaptureFixture[str]) -> None:
    with on_a_terminal.step("Preparing the base images"):
        on_a_terminal.report(BuildEvent("debian", "line", 0.0))
    *rewritten, last, nothing = re.split(r"\r\033\[K|\n", capsys.readouterr().err)
    assert all(not part or part.startswith("Preparing the base images: ") for part in rewritten)
    assert last.startswith("Preparing the base images: done in ")
    assert nothing == ""


def _comes(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """All that is shown until the text is."""
    shown, deadline = "", time.monotonic() + 20
    while text not in shown:
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)
        shown += capsys.readouterr().err
    return shown


def test_it_tells_of_all_that_is_under_way_as_far_as_there_is_room(
    on_a_terminal: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_a_terminal.step("Building"):
        on_a_terminal.report(BuildEvent("debian", "waiting", 0.0))
        on_a_terminal.report(BuildEvent("debian", "built", 1.0, done=True))
        for image in ("python", "job"):
            on_a_terminal.report(BuildEvent(image, f"{image} {'x' * 50}", 0.0))
        shown = _comes("s  python: python xxxxxxxxxxxxxxxxxx | job: job xxxxxxxxxxxxxxxxxxxxxxxx", capsys)
        assert max(map(len, shown.split("\r\033[K"))) <= 100
        on_a_terminal.report(BuildEvent("debian", "begun", 0.0))
        _comes("debian: begun | ", capsys)


def test_a_step_that_fails_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no room"), Progress().step("Preparing the database"):
        raise ValueError("no room")
    assert capsys.readouterr().err == ""


def test_what_a_build_prints_does_not_move_the_cursor(
    on_a_terminal: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_a_terminal.step("Preparing the base images"):
        on_a_terminal.report(BuildEvent("debian", "un\x1b[2Jder way", 0.0))
        time.sleep(0.5)
    assert "debian: un[U+001B][2Jder way" in capsys.readouterr().err
