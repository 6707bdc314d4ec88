"""A pipeline's commit, as the checks look at it."""

from cabestan.checks.subject import Subject
from cabestan.domain.pipeline import Pipeline
from cabestan.engine import base_images
from cabestan.engine.deploying.compose_files import sets_of
from cabestan.engine.services import Services
from cabestan.store import environments as environment_store


def subject_of(services: Services, pipeline: Pipeline) -> Subject:
    repositories, key, commit = services.repositories, pipeline.project_id, pipeline.commit
    tree = repositories.paths(key, commit)
    with services.database.reading() as tx:
        environments = environment_store.of_project(tx, key)
    return Subject(
        project=pipeline.project,
        commit=commit,
        branch=pipeline.branch,
        registry=services.settings.registry,
        tree=tree,
        read=lambda path: repositories.read(key, commit, path, tree),
        sets=sets_of(tree, environments),
        pointers=lambda: repositories.pointers(key, commit),
        base_images=base_images.known(services),
    )
