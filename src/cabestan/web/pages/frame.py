"""What surrounds every page: title, breadcrumbs, tabs, who is signed in, what to listen to."""

from dataclasses import dataclass, replace
from typing import Self

from cabestan.web.access import Visitor

_TABS = (
    ("Overview", ""),
    ("Pipelines", "/pipelines"),
    ("Releases", "/releases"),
    ("Deployments", "/deployments"),
    ("Environments", "/environments"),
    ("Databases", "/databases"),
    ("Schedules", "/schedules"),
    ("Routes", "/routes"),
    ("Variables", "/settings/variables"),
    ("Certificates", "/settings/certificates"),
    ("Members", "/settings/members"),
    ("Waivers", "/settings/waivers"),
)


@dataclass(frozen=True)
class Crumb:
    text: str
    href: str


@dataclass(frozen=True)
class Tab:
    text: str
    href: str
    current: bool


@dataclass(frozen=True)
class Frame:
    """`topics` are what makes the page fetch itself again; one that ends in `*` matches by its beginning."""

    title: str
    visitor: Visitor | None
    crumbs: tuple[Crumb, ...] = ()
    tabs: tuple[Tab, ...] = ()
    topics: tuple[str, ...] = ()
    query: str = ""

    def headed(self, word: str) -> Self:
        """With a word before its title, which stands in the browser's tab."""
        return replace(self, title=f"{word} · {self.title}")

    def with_topics(self, *topics: str) -> Self:
        return replace(self, topics=(*self.topics, *topics))


def project_frame(visitor: Visitor, project: str, tab: str, *below: Crumb) -> Frame:
    """The frame of a page in a project. `tab` is a tab's text, `below` the breadcrumbs under it."""
    base = f"/{project}"
    tabs = tuple(Tab(text, base + path, text == tab) for text, path in _TABS)
    middle = tuple(Crumb(t.text, t.href) for t in tabs if t.current and t.text != "Overview")
    crumbs = (Crumb(project, base), *middle, *below)
    title = " · ".join([*(crumb.text for crumb in reversed(crumbs)), "Cabestan"])
    return Frame(title, visitor, crumbs, tabs, (f"project:{project}",))


def plain_frame(visitor: Visitor | None, title: str, *topics: str, href: str = "") -> Frame:
    """The frame of a page outside of any project; `href` is its address, where it has a breadcrumb."""
    crumbs = (Crumb(title, href),) if href else ()
    return Frame(f"{title} · Cabestan", visitor, crumbs, topics=topics)
