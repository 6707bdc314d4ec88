"""Pages in place of the commands that messages name: whoever reads one on a page gets there by a click. Pure."""

import re
from collections.abc import Mapping

#: noun of a command that lists things, to the page with the same (below a project's address where it begins with
#: `{}`), and how that page is called
_PAGES: Mapping[str, tuple[str, str]] = {
    "alert": ("/", "the first page"),
    "certificate": ("{}/settings/certificates", "the page Certificates"),
    "cron": ("{}/schedules", "the page Schedules"),
    "database": ("{}/databases", "the page Databases"),
    "deployment": ("{}/deployments", "the page Deployments"),
    "environment": ("{}/environments", "the page Environments"),
    "host": ("/routes", "the page Routes"),
    "pipeline": ("{}/pipelines", "the page Pipelines"),
    "project": ("/", "the first page"),
    "release": ("{}/releases", "the page Releases"),
    "route": ("/routes", "the page Routes"),
    "secret": ("{}/settings/variables", "the page Variables"),
    "variable": ("{}/settings/variables", "the page Variables"),
    "waiver": ("{}/settings/waivers", "the page Waivers"),
}
#: a command that lists, as messages have it before what it shows
LISTING = re.compile(r"`cabestan (?P<noun>[a-z]+) list(?: -p (?P<project>[\w./-]+))?(?: -e [\w./-]+)?`(?= shows )")


def page_instead(found: re.Match[str], project: str) -> tuple[str, str] | None:
    """Address and name of the page; None where there is none, or it is not known of which project. `project` is the
    one that the message is about, where it does not name one itself.
    """
    address, name = _PAGES.get(found["noun"], ("", ""))
    of = found["project"] or project
    if not address or ("{}" in address and not of):
        return None
    before = found.string[: found.start()].rstrip()
    begins = not before or before.endswith((".", "?", "!"))
    return address.format(f"/{of}"), name[0].upper() + name[1:] if begins else name
