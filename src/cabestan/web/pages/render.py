"""Templates to HTML. They get view models only, a name that is missing is an error, and no text of others is obeyed."""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cabestan.web.pages.marking import marked, placed
from cabestan.web.pages.views.frame import Frame

_CODE = re.compile(r"`([^`]+)`")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cabestan.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=placed,
    )
    environment.filters["many"] = many
    environment.filters["prose"] = prose
    return environment


def many(count: int, one: str, several: str = "") -> str:
    """`1 job`, `3 jobs`, `10,000 lines`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def prose(text: str) -> Markup:
    """A message as a terminal shows it: what stands between backticks becomes code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(placed(text)))))  # noqa: S704


class Renderer:
    """Renders a template within a frame; `version` stands in the addresses of the static files."""

    def __init__(self, version: str) -> None:
        self._environment = _environment()
        self._environment.globals["version"] = version

    def __call__(self, template: str, frame: Frame, **views: Any) -> str:
        return marked(self._environment.get_template(template).render(frame=frame, **views))
