"""Templates to HTML. They get values only, a name that is missing is an error, and no text of others is obeyed."""

import re
from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cabestan.compose.cron import in_words
from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.domain.why import Why
from cabestan.web.pages.addresses import asking_href, back_href, environment_href, href
from cabestan.web.pages.frame import Frame
from cabestan.web.pages.marking import marked, placed
from cabestan.web.pages.moments import ahead, minute, took, when
from cabestan.web.pages.overview import approvers
from cabestan.web.pages.plans import sign
from cabestan.web.pages.states import state, task_state

_CODE = re.compile(r"`([^`]+)`")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cabestan.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # the files' times would be looked at for each page
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=placed,
    )
    environment.filters |= {
        "ahead": ahead,
        "approvers": approvers,
        "back_href": back_href,
        "branches": branches,
        "environment_href": environment_href,
        "href": href,
        "in_words": in_words,
        "many": many,
        "minute": minute,
        "prose": prose,
        "size": size,
        "sign": sign,
        "state": state,
        "task_state": task_state,
        "titled": titled,
        "took": took,
        "when": when,
        "why": Why.of,
    }
    environment.globals |= {"asking_href": asking_href}
    return environment


def many(count: int, one: str, several: str = "") -> str:
    """`1 job`, `3 jobs`, `10,000 lines`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def prose(text: str) -> Markup:
    """A message as a terminal shows it: what stands between backticks becomes code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(placed(text)))))  # noqa: S704


def titled(title: str | None) -> str:
    """Of a commit, to be read and clicked."""
    return title or "(no message)"


def branches(patterns: Iterable[str]) -> str:
    """As forms show them; `split_list` reads what comes back."""
    return ", ".join("(default branch)" if pattern == DEFAULT_BRANCH else pattern for pattern in patterns)


def split_list(text: str) -> tuple[str, ...]:
    """What a person typed into a list's field: by commas or spaces."""
    parts = text.replace("(default branch)", DEFAULT_BRANCH).replace(",", " ").split()
    return tuple(dict.fromkeys(parts))


def size(value: int) -> str:
    """`1.5 MiB`."""
    amount, unit = float(value), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


class Renderer:
    """Renders a template within a frame; `version` stands in the addresses of the static files."""

    def __init__(self, version: str) -> None:
        self._environment = _environment()
        self._environment.globals["version"] = version

    def __call__(self, template: str, frame: Frame, **values: Any) -> str:
        return marked(self._environment.get_template(template).render(frame=frame, **values))
