"""What a page of logs was asked for: from its address, which is a link to share, and back to one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query

from cabestan.domain.asked_time import moment
from cabestan.engine.services import Services
from cabestan.store.journal import Query as Wanted
from cabestan.web.api import journal as api

Short = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True)
class Filter:
    """As it was written, also where that is wrong: the form shows it again."""

    services: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    regexp: str = ""
    since: str = ""
    until: str = ""
    replica: int | None = None
    stderr: bool = False
    access: bool = False

    @property
    def narrows(self) -> bool:
        return self != Filter(access=self.access)

    def wanted(self, services: Services) -> Wanted:
        """Raises Invalid."""
        return api.wanted(
            services,
            list(self.services),
            list(self.fields),
            self.since,
            self.until,
            self.regexp,
            self.replica,
            self.access,
            self.stderr,
        )

    def query(self, **more: Any) -> str:
        """`?service=web&stderr=true`; empty where nothing is asked for."""
        pairs: list[tuple[str, Any]] = [("service", name) for name in self.services]
        pairs += [("field", text) for text in self.fields]
        pairs += [(name, getattr(self, name)) for name in ("regexp", "since", "until") if getattr(self, name)]
        pairs += [("replica", self.replica)] if self.replica is not None else []
        pairs += [(name, "true") for name in ("stderr", "access") if getattr(self, name)]
        pairs += [(name, value) for name, value in more.items() if value is not None]
        return f"?{urlencode(pairs)}" if pairs else ""

    def only(self, field: str) -> Filter:
        """With this value besides."""
        return replace(self, fields=tuple(dict.fromkeys((*self.fields, field))))

    def without(self, field: str) -> Filter:
        return replace(self, fields=tuple(text for text in self.fields if text != field))

    def of_last(self, since: str) -> Filter:
        return replace(self, since=since, until="")


def asked(
    service: api.Words = [],  # noqa: B006 (FastAPI copies it)
    field: api.Words = [],  # noqa: B006
    regexp: api.Text = "",
    since: Short = "",
    until: Short = "",
    replica: Short = "",
    stderr: bool = False,
    access: bool = False,
) -> Filter:
    """A form sends what is empty too."""
    number = int(replica) if replica.isascii() and replica.isdigit() else None
    services = tuple(dict.fromkeys(name for name in service if name))
    fields = tuple(dict.fromkeys(text for text in field if text))
    return Filter(services, fields, regexp, since.strip(), until.strip(), number, stderr, access)


Filtered = Annotated[Filter, Depends(asked)]


def number_or_time(text: str, services: Services) -> tuple[int | None, int]:
    """A line's number, or a time in nanoseconds. Raises Invalid."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return max(1, int(text)), 0
    return None, moment(text, services.now())
