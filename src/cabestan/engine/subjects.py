"""A pipeline's commit, as the checks look at it."""

from cabestan.checks.subject import Subject
from cabestan.domain.pipeline import Pipeline
from cabestan.engine.services import Services
from cabestan.pipeline.convention import compose_file


def subject_of(services: Services, pipeline: Pipeline) -> Subject:
    repositories, key, commit = services.repositories, pipeline.project_id, pipeline.commit
    files = frozenset(entry.path for entry in repositories.tree(key, commit))
    compose = compose_file(files)
    return Subject(
        project=pipeline.project,
        commit=commit,
        branch=pipeline.branch,
        registry=services.settings.registry,
        files=files,
        read=lambda path: repositories.read(key, commit, path),
        compose=(compose,) if compose else (),
        links=frozenset(repositories.links(key, commit)),
    )
