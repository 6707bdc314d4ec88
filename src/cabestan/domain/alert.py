"""Something that went wrong by itself, with nobody there to see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Alert:
    """Open until `cleared_at`. There is one open alert for a kind and subject; raised again, it keeps its time.

    `kind` says what sort of trouble it is (`certificate`, `backup`, `cron`), `subject` what it is about. `message` is
    one line, `words` are what was said last, `remedy` is what to do. `project` is empty where it concerns the whole
    installation: then administrators alone see it.
    """

    id: int
    kind: str
    subject: str
    message: str
    remedy: str
    project: str
    raised_at: datetime
    cleared_at: datetime | None = None
    words: str = ""
