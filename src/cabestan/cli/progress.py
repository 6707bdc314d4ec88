"""What is being done and for how long, on standard error."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cabestan.adapters.images import BuildEvent
from cabestan.cli.cells import clean

_PLAIN_SECONDS = 15
#: characters for what is under way
_DETAIL = 66


class Progress:
    """On a terminal one line that is rewritten; elsewhere a line per image, and one every 15 seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        #: the last line of each image, of which several are made at a time
        self._lines: dict[str, str] = {}
        self._done: set[str] = set()

    def report(self, event: BuildEvent) -> None:
        if event.image not in self._lines and not self._terminal:
            print(f"Building the image {event.image} ...", file=sys.stderr)
        self._lines[event.image] = clean(event.text.strip())
        if event.done:
            self._done.add(event.image)
        else:
            self._done.discard(event.image)

    def _detail(self) -> str:
        """What is under way, each as far as it has room."""
        under_way = [f"{image}: {text}" for image, text in self._lines.copy().items() if image not in self._done]
        return " | ".join(text[: _DETAIL // len(under_way)] for text in under_way)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        begun, done = time.monotonic(), threading.Event()
        self._lines, self._done = {}, set()
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
            line = f"{what}: {time.monotonic() - begun:.0f} s  {self._detail()}"
            self._rewrite(line) if self._terminal else print(line, file=sys.stderr)

    def _rewrite(self, line: str) -> None:
        if self._terminal:
            print(f"\r\033[K{line[:100]}", end="", file=sys.stderr, flush=True)
