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


def test_on_a_terminal_one_line_is_rewritten(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    with progress.step("Preparing the base images"):
        progress.report(BuildEvent("debian", "line", 0.0))
    *rewritten, last, nothing = re.split(r"\r\033\[K|\n", capsys.readouterr().err)
    assert all(not part or part.startswith("Preparing the base images: ") for part in rewritten)
    assert last.startswith("Preparing the base images: done in ")
    assert nothing == ""


def test_it_tells_of_all_that_is_under_way_as_far_as_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    with progress.step("Building"):
        for image in ("debian", "python", "job"):
            progress.report(BuildEvent(image, f"{image} {'x' * 50}", 0.0))
        progress.report(BuildEvent("debian", "built", 1.0, done=True))
        time.sleep(0.5)
    shown = capsys.readouterr().err
    assert "Building: 0 s  python: python xxxxxxxxxxxxxxxxxx | job: job xxxxxxxxxxxxxxxxxxxxxxxx" in shown
    assert max(map(len, shown.split("\r\033[K"))) <= 100


def test_a_step_that_fails_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no room"), Progress().step("Preparing the database"):
        raise ValueError("no room")
    assert capsys.readouterr().err == ""
