"""A job's page, with the beginning of its log."""

from fastapi import APIRouter, Response

from cabestan.domain.access import Permission
from cabestan.engine.building.job_runs import log_id, workflow_id
from cabestan.store import pipelines as store
from cabestan.store.logs import LISTED
from cabestan.web.access import SignedIn, Wired, project_for
from cabestan.web.pages.answers import can, check_place, framed, html
from cabestan.web.pages.views.frame import Crumb, project_frame
from cabestan.web.pages.views.jobs import FIRST_LINES, job_page

router = APIRouter()


@router.get("/{group}/{name}/jobs/{job_id}")
def job(visitor: SignedIn, services: Wired, group: str, name: str, job_id: int) -> Response:
    project = project_for(services, visitor.user, f"{group}/{name}", Permission.READ)
    with services.database.reading() as tx:
        found = store.get_job(tx, job_id)
        pipeline = store.get(tx, found.pipeline_id)
        siblings = store.jobs_of(tx, found.pipeline_id)
    check_place(project.name, "job", job_id, pipeline.project)
    log = services.logs.reader(log_id(job_id))  # shared with those who follow it, so it is not closed here
    lines = [line.text for line in log.lines_from(1, FIRST_LINES, LISTED)]
    total = log.lines()
    may_run = can(visitor.user, Permission.RUN, project.name)
    waits = services.durable.waits(workflow_id(found))
    page = job_page(found, pipeline, siblings, lines, total, may_run=may_run, waits=waits, now=services.now())
    crumbs = (Crumb(f"#{pipeline.id}", page.pipeline_href), Crumb(found.name, page.row.href))
    frame = project_frame(framed(visitor), project.name, "Pipelines", *crumbs)
    return html("job.html", frame.with_topics(f"job:{job_id}", f"pipeline:{pipeline.id}"), page=page)
