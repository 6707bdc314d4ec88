"""Findings that a whole engine cannot be made to give."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cabestan.adapters.engine_api import Engine
from cabestan.engine.upkeep import doctor

NOW = datetime(2030, 1, 2, 3, 4, 5, 987654, tzinfo=UTC)


@pytest.mark.parametrize(
    ("theirs", "taken", "words"),
    [
        (0.0, 0.01, "Engine and server agree"),
        (0.0, 30.0, "Engine and server agree"),
        (29.0, 30.0, "Engine and server agree"),
        (1.5, 0.01, "Engine and server agree"),
        (5.0, 0.01, "The engine's clock is 5 s off ours."),
        (-5.0, 30.0, "The engine's clock is 5 s off ours."),
        (35.0, 30.0, "The engine's clock is 5 s off ours."),
    ],
)
def test_an_engine_that_answers_late_is_no_clock_that_is_off(
    monkeypatch: pytest.MonkeyPatch, theirs: float, taken: float, words: str
) -> None:
    """`theirs`: seconds that its clock shows since it was asked; `taken`: until it answers."""
    told = (NOW + timedelta(seconds=theirs)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "515Z"
    ours = iter((NOW, NOW + timedelta(seconds=taken)))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return next(ours)

    client = SimpleNamespace(info=lambda: {"SystemTime": told})
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(client))
    monkeypatch.setattr(doctor, "datetime", Clock)
    assert doctor._clock(Engine("unix:///nowhere")).text == words
