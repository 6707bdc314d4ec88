"""A job's page, with the beginning of its log."""

from fastapi import APIRouter, Response

from cabestan.engine.building.job_runs import workflow_id
from cabestan.store import pipelines as store
from cabestan.web.pages.addresses import href
from cabestan.web.pages.answers import Reading
from cabestan.web.pages.frame import Crumb
from cabestan.web.pages.logs import job_log

router = APIRouter()


@router.get("/{group}/{name}/jobs/{job_id}")
def job(at: Reading, job_id: int) -> Response:
    pipeline = at.find(lambda tx, key: store.get(tx, store.get_job(tx, key).pipeline_id), "job", job_id)
    with at.services.database.reading() as tx:
        found = store.get_job(tx, job_id)
        siblings = store.jobs_of(tx, found.pipeline_id)
    return at.html(
        "job.html",
        "Pipelines",
        Crumb(f"#{pipeline.id}", href(pipeline)),
        Crumb(found.name, f"/{pipeline.project}/jobs/{job_id}"),
        topics=[f"job:{job_id}", f"pipeline:{pipeline.id}"],
        job=found,
        pipeline=pipeline,
        siblings=siblings,
        log=job_log(at.services, found),
        waits=at.services.durable.waits(workflow_id(found)),
    )
