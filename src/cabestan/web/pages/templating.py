"""Templates to HTML. They get values only, a name that is missing is an error, and no text of others is obeyed."""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from cabestan.compose.cron import in_words
from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.domain.why import Why
from cabestan.web.pages.addresses import asking_href, back_href, environment_href, href
from cabestan.web.pages.availability import is_noticeable, lasted, percent
from cabestan.web.pages.frame import Frame
from cabestan.web.pages.instead import LISTING, page_instead
from cabestan.web.pages.marking import marked, placed
from cabestan.web.pages.moments import ahead, minute, took, when
from cabestan.web.pages.overview import approvers
from cabestan.web.pages.plans import sign
from cabestan.web.pages.states import State, state, task_state

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
        "brief_state": brief_state,
        "branches": branches,
        "environment_href": environment_href,
        "href": href,
        "in_words": in_words,
        "lasted": lasted,
        "many": many,
        "minute": minute,
        "noticeable": is_noticeable,
        "percent": percent,
        "prose": prose_here,
        "size": size,
        "sign": sign,
        "state": state,
        "task_state": task_state,
        "time_tag": time_tag,
        "titled": titled,
        "took": took,
        "when": when,
        "why": Why.of,
    }
    environment.globals |= {"asking_href": asking_href}
    return environment


@lru_cache(maxsize=64)
def brief_state(of: State) -> Markup:
    """As in `parts/state.html`, with its figure referred to: of a thousand on a page each would cost a macro's call."""
    figure = Markup('<svg aria-hidden="true"><use href="#figure-{}"/></svg>').format(of.shape)
    return Markup('<span class="state tone-{}">{}{}</span>').format(of.tone, figure, of.word)


def time_tag(moment: datetime, now: datetime) -> Markup:
    """A time as all pages show it. Nothing in it is of others."""
    at = when(moment, now)
    return Markup(f'<time datetime="{at.iso}" title="{at.exact}" data-ago>{at.ago}</time>')  # noqa: S704


def many(count: int, one: str, several: str = "") -> str:
    """`1 job`, `3 jobs`, `10,000 lines`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def prose(text: str, project: str = "") -> Markup:
    """A message as a terminal shows it: what stands between backticks becomes code, and a command that lists things
    of the project a link to the page that does.
    """
    linked = LISTING.sub(lambda found: _linked(found, project), str(escape(placed(text))))
    return Markup(_CODE.sub(r"<code>\1</code>", linked))  # noqa: S704


def _linked(found: re.Match[str], project: str) -> str:
    page = page_instead(found, project)
    return str(Markup('<a href="{}">{}</a>').format(*page)) if page else found[0]


@pass_context
def prose_here(context: Context, text: str, project: str = "") -> Markup:
    """Of the page's project, where another is not named."""
    here = context.get("project", "")
    return prose(text, project or (here if isinstance(here, str) else ""))


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
