"""The first page: what runs where."""

from fastapi import APIRouter, Response

from cabestan.domain.observed import Condition
from cabestan.domain.status import DeploymentStatus
from cabestan.web.access import SignedIn, Wired
from cabestan.web.pages.alerts import views, visible
from cabestan.web.pages.answers import Asked, html
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.listing import FEW, FILTERS, SORTS, Wish, groups, read, titles_of, visible_projects
from cabestan.web.pages.needs import needs

router = APIRouter()
#: so many projects are seen at a glance: nobody looks for one of them by its name
_OBVIOUS = 6
#: shown before the projects; the others are folded away
_MOST_NEEDS, _MOST_ALERTS = 8, 4


@router.get("/")
def home(visitor: SignedIn, services: Wired, project: Asked = "", state: Asked = "", sort: Asked = "") -> Response:
    """`project`, `state` and `sort` are those of the form above the list."""
    wish = Wish.of(project, state, sort)
    with services.database.reading() as tx:
        projects = visible_projects(tx, visitor.user)
        rows = read(tx, projects)
        few = len(projects) <= FEW
        found = groups(rows, wish, few=few)
        titles = titles_of(tx, found) if few else {}
        alerts = visible(services, tx, visitor.user, [project.name for project in projects])
    cells = [cell for row in rows for cell in row.cells]
    down = sum(cell.state.word == Condition.DOWN for cell in cells)
    frame = plain_frame(visitor, "What runs where", "projects", "project:*")
    return html(
        "home.html",
        frame.headed(f"{down} down") if down else frame,
        projects=len(projects),
        can_filter=len(projects) > _OBVIOUS or wish.filters,
        most_needs=_MOST_NEEDS,
        most_alerts=_MOST_ALERTS,
        groups=found,
        detailed=few,
        wish=wish,
        filters=FILTERS,
        sorts=SORTS,
        waiting=sum(one.status is DeploymentStatus.WAITING for cell in cells for one in cell.pending),
        needs=needs(cells, (row.newest for row in rows if row.newest)),
        titles=titles,
        alerts=views(alerts),
        now=services.now(),
    )
