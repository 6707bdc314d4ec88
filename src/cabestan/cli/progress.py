"""What is being done and for how long, on standard error."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cabestan.adapters.images import BuildEvent

_PLAIN_SECONDS = 15


class Progress:
    """On a terminal one line that is rewritten; elsewhere a line per image, and one every 15 seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._image = ""
        self._detail = ""

    def report(self, event: BuildEvent) -> None:
        self._detail = f"{event.image}: {event.text.strip()[:60]}"
        if event.image != self._image:
            self._image = event.image
            if not self._terminal:
                print(f"Building the image {event.image} ...", file=sys.stderr)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        begun, done = time.monotonic(), threading.Event()
        self._image = self._detail = ""
        ticking = threading.Thread(target=self._tick, args=(what, begun, done), daemon=True)
        ticking.start()
        try:
            yield
        finally:
            done.set()
            ticking.join()
            self._rewrite("")
        print(f"{what}: done in {time.monotonic() - begun:.1f} s", file=sys.stderr)

    def _tick(self, what: str, begun: float, done: threading.Event) -> None:
        while not done.wait(0.2 if self._terminal else _PLAIN_SECONDS):
            line = f"{what}: {time.monotonic() - begun:.0f} s  {self._detail}"
            self._rewrite(line) if self._terminal else print(line, file=sys.stderr)

    def _rewrite(self, line: str) -> None:
        if self._terminal:
            print(f"\r\033[K{line[:100]}", end="", file=sys.stderr, flush=True)
