"""What surrounds every page: title, breadcrumbs, tabs, who is signed in, what to listen to."""

from dataclasses import dataclass, replace
from typing import Self

from cabestan.web.access import Visitor

#: the first section of the settings
GENERAL = "General"
_TABS = (
    ("Overview", ""),
    ("Pipelines", "/pipelines"),
    ("Releases", "/releases"),
    ("Deployments", "/deployments"),
    ("Environments", "/environments"),
    ("Databases", "/databases"),
    ("Schedules", "/schedules"),
    ("Routes", "/routes"),
    ("Settings", "/settings"),
)
#: of the settings: what is looked at and changed now and then
_SECTIONS = (
    (GENERAL, "/settings"),
    ("Variables", "/settings/variables"),
    ("Members", "/settings/members"),
    ("Certificates", "/settings/certificates"),
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
    #: below the tab that is current
    sections: tuple[Tab, ...] = ()
    topics: tuple[str, ...] = ()
    query: str = ""

    def headed(self, word: str) -> Self:
        """With a word before its title, which stands in the browser's tab."""
        return replace(self, title=f"{word} · {self.title}")

    def with_topics(self, *topics: str) -> Self:
        return replace(self, topics=(*self.topics, *topics))


def project_frame(visitor: Visitor, project: str, tab: str, *below: Crumb) -> Frame:
    """The frame of a page in a project. `tab` is a tab's text, or a section's of the settings; `below` the breadcrumbs
    under it.
    """
    base = f"/{project}"
    sections = tuple(Tab(text, base + path, text == tab) for text, path in _SECTIONS)
    inside = any(section.current for section in sections)
    tabs = tuple(Tab(text, base + path, text == tab or (inside and text == "Settings")) for text, path in _TABS)
    middle = [Crumb(t.text, t.href) for t in tabs if t.current and t.text != "Overview"]
    middle += [Crumb(s.text, s.href) for s in sections if s.current and s.text != GENERAL]
    crumbs = (Crumb(project, base), *middle, *below)
    title = " · ".join([*(crumb.text for crumb in reversed(crumbs)), "Cabestan"])
    return Frame(title, visitor, crumbs, tabs, sections if inside else (), (f"project:{project}",))


def plain_frame(visitor: Visitor | None, title: str, *topics: str, href: str = "") -> Frame:
    """The frame of a page outside of any project; `href` is its address, where it has a breadcrumb."""
    crumbs = (Crumb(title, href),) if href else ()
    return Frame(f"{title} · Cabestan", visitor, crumbs, topics=topics)
