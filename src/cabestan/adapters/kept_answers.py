"""Answers that never change, such as those of Git about a commit: asked for once, and kept for a while."""

import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST_BYTES = 4 * 1024 * 1024
#: a larger one would put all others out
_LONGEST = 256 * 1024
#: what each takes beside its own bytes, so that empty ones are bounded too
_BESIDE = 512


class KeptAnswers:
    """The answers that were last asked for, as many as have room. For threads."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, question: tuple[str, ...], ask: Callable[[], bytes]) -> bytes:
        """What `ask` gives, or gave. What it raises is not kept."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
                return self._answers[question]
        answer = ask()
        if len(answer) <= _LONGEST:
            self._keep(question, answer)
        return answer

    def _keep(self, question: tuple[str, ...], answer: bytes) -> None:
        with self._lock:
            if question not in self._answers:
                self._answers[question] = answer
                self._bytes += len(answer) + _BESIDE
            while self._bytes > _MOST_BYTES:
                _, forgotten = self._answers.popitem(last=False)
                self._bytes -= len(forgotten) + _BESIDE
