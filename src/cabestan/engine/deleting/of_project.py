"""What a project has beside its environments: images, builder, repository, logs and records."""

import threading

from cabestan.adapters.local_images import of_project
from cabestan.adapters.registry_sweep import SWEEP
from cabestan.domain.deletion import Deletion
from cabestan.engine.building.job_runs import log_id
from cabestan.engine.services import Services
from cabestan.store import outbox, taking_away
from cabestan.store import projects as project_store

#: the registry's files are looked through by one at a time
_sweeping = threading.Lock()


def take_away(services: Services, deletion: Deletion) -> None:
    """Its builder with what that kept, and its images, in the registry and on the engines."""
    with services.builders.alone:
        services.builders.forget(deletion.project_id)
    with _sweeping:
        services.home.platform.run_inside(services.registry_name, SWEEP, deletion.project)
    for cluster in services.clusters.values():
        for image in of_project(cluster.images.present(), cluster.target.registry, deletion.project):
            cluster.images.remove(image)


def forget(services: Services, deletion: Deletion) -> None:
    """The record goes last: as long as it is there, this can be done again."""
    with services.database.reading() as tx:
        project, jobs = project_store.find(tx, deletion.project), taking_away.jobs_of(tx, deletion.project_id)
    for job_id in jobs:
        services.logs.delete(log_id(job_id))
    services.repositories.remove(deletion.project_id)
    if project and project.id == deletion.project_id:
        with services.database.writing() as tx:
            taking_away.delete_project(tx, project)
            outbox.tell(tx, None, services.now())
