"""The end of a good pipeline: its images, by digest, become a release, and the release comes to the environments."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from cabestan.compose import dotenv
from cabestan.compose.findings import Waivers
from cabestan.compose.model import ComposeFile
from cabestan.compose.routing import routes
from cabestan.domain.environment import Environment
from cabestan.domain.finding import FindingsRefused
from cabestan.domain.image import in_registry
from cabestan.domain.outbox import Subject
from cabestan.domain.pipeline import SAME_COMMIT, BuildJob, ImageBuild, Job, Pipeline
from cabestan.domain.release import Release
from cabestan.domain.status import RunStatus
from cabestan.domain.variable import travelling
from cabestan.engine import base_images
from cabestan.engine.building import pipelines
from cabestan.engine.building.image_checks import check_foreign_images, check_images
from cabestan.engine.deploying import deployments
from cabestan.engine.deploying.compose_files import is_deployable, kept_files, reader
from cabestan.engine.deploying.composing import Wanted, compose, gather, waivers_of
from cabestan.engine.guard import guarded
from cabestan.engine.services import Services
from cabestan.engine.turns.places import Kind
from cabestan.errors import CabestanError, Invalid
from cabestan.store import deletions as deletion_store
from cabestan.store import deployments as deployment_store
from cabestan.store import environments as environment_store
from cabestan.store import pipelines as pipeline_store
from cabestan.store import projects as project_store
from cabestan.store import releases as store
from cabestan.store.transitions import transition


@dataclass(frozen=True)
class _Images:
    """Of a release, by the names that a Compose file may write. `references` are by digest, `ports` lowest first."""

    references: dict[str, str]
    ports: dict[str, tuple[int, ...]]
    #: for the pipeline
    notes: tuple[str, ...]


def register(services: Services) -> None:
    work = guarded(services, partial(run, services), partial(pipelines.fail, services))
    turn = partial(pipelines.turn, services, Kind.RELEASE)
    services.durable.register("release", lambda pipeline_id: work(pipeline_id), turn)


def run(services: Services, pipeline_id: int) -> None:
    """The workflow: make the release, have it arrive, start the deployments that got their turn."""
    step = services.durable.step
    failure = step("release.make", lambda: _make(services, pipeline_id))
    if failure:
        step("release.fail", lambda: pipelines.fail(services, pipeline_id, failure))
        return
    environments = step("release.arrive", lambda: _arrive(services, pipeline_id))
    for environment_id in environments:
        step("release.go-on", partial(deployments.give_turn, services, environment_id))


def _make(services: Services, pipeline_id: int) -> str:
    """Empty, or why there can be no release."""
    with services.database.reading() as tx:
        pipeline = pipeline_store.get(tx, pipeline_id)
        jobs = pipeline_store.jobs_of(tx, pipeline_id)
        targets = _targets(tx, pipeline)
        environments = environment_store.of_project(tx, pipeline.project_id)
        waivers = waivers_of(services, tx, pipeline.project_id)
        project = project_store.by_id(tx, pipeline.project_id)
    try:
        digests = _digests(jobs)
        file, texts = _compose(services, pipeline, environments)
        env_file = _dotenv(services, pipeline)
        wanted = draft(services, pipeline, _references(services, digests), file, texts, project.default_branch)
        composed = _composed(services, wanted, targets)
        others = [environment for environment in environments if environment not in targets]
        everywhere = (*composed, *_as_far_as_it_loads(services, wanted, others))
        built = _built(services, pipeline, digests, everywhere, waivers)
        foreign = _foreign(services, _foreign_images(wanted, composed), composed, waivers)
        images, ports = built.references | foreign.references, built.ports | foreign.ports
        _check_routes(composed, ports)
        tagged = _tagged(services, pipeline, digests, version=project.protects(pipeline.branch))
    except FindingsRefused as error:
        return f"{error} {SAME_COMMIT}"
    except CabestanError as error:
        return str(error)
    with services.database.writing() as tx:
        store.create(tx, pipeline, images, file, texts, services.now(), ports=ports, dotenv=env_file)
        notes = (*pipeline_store.get(tx, pipeline_id).notes, *built.notes, *foreign.notes, *tagged)
        pipeline_store.update(tx, pipeline_id, notes=tuple(dict.fromkeys(notes)))
    return ""


def _arrive(services: Services, pipeline_id: int) -> list[int]:
    """Once per environment: those that have a deployment of this release already are left alone.

    Each takes its turn at once where it may, with the plan just made; its steps are started after the transaction.
    """
    with services.database.writing() as tx:
        pipeline = pipeline_store.get(tx, pipeline_id)
        release = store.of_pipeline(tx, pipeline_id)
        if not release:
            raise Invalid(f"Pipeline {pipeline_id} has no release.", "Run it again.")
        there = {d.environment_id for d in deployment_store.of_release(tx, release.id)}
        newer = store.newer(tx, pipeline)
        targets = () if newer else tuple(e for e in _targets(tx, pipeline) if is_deployable(release, e))
        for environment in targets:
            gone = deletion_store.open_of(tx, environment.project_id, environment.id)
            if environment.id not in there and not gone:
                arrived = deployments.arrive(services, tx, Wanted(release, environment), pipeline.by)
                deployments.take_turn(services, tx, environment.id, fresh=arrived.id)
        _end(services, tx, pipeline, release, newer)
    return [environment.id for environment in targets]


def _end(services: Services, tx: sa.Connection, pipeline: Pipeline, release: Release, newer: Release | None) -> None:
    """A pipeline that is overtaken by a newer commit's still makes its release, which is not deployed by itself."""
    notes = pipeline.notes
    if newer and not pipeline.status.ended:
        notes = (*notes, f"Release {newer.number}, of a newer commit, is there already: this one is not deployed.")
    if not release.texts:
        notes = (*notes, "There is no Compose file, so the release is not deployed anywhere.")
    pipeline_store.update(tx, pipeline.id, notes=notes)
    now = services.now()
    transition(tx, Subject.PIPELINE, pipeline.id, RunStatus.SUCCEEDED, now, finished_at=now)


def _targets(tx: sa.Connection, pipeline: Pipeline) -> tuple[Environment, ...]:
    """The environments that take releases of the pipeline's branch."""
    project = project_store.by_id(tx, pipeline.project_id)
    found = environment_store.of_project(tx, project.id)
    return tuple(e for e in found if e.takes(pipeline.branch, project.default_branch))


def _digests(jobs: tuple[Job, ...]) -> dict[ImageBuild, str]:
    """What the pipeline's own jobs pushed, as they told."""
    found = {}
    for job in jobs:
        if isinstance(job.spec, BuildJob) and not job.digest:
            raise Invalid(f"The job {job.name} has not told which image it pushed.", "Run the pipeline again.")
        if isinstance(job.spec, BuildJob):
            found[job.spec.build] = job.digest
    return found


def _built(
    services: Services,
    pipeline: Pipeline,
    digests: Mapping[ImageBuild, str],
    composed: Iterable[ComposeFile],
    waivers: Waivers,
) -> _Images:
    """The pipeline's own, but for those that may not be run and that no service runs. Raises ImageRefused."""
    checked = check_images(services, pipeline, digests, composed, waivers)
    fit = {build: digest for build, digest in digests.items() if build not in checked.unfit}
    ports = {name: checked.ports[build] for build in fit for name in _names(services, build)}
    return _Images(_references(services, fit), ports, checked.notes)


def _foreign(services: Services, names: Iterable[str], composed: Iterable[ComposeFile], waivers: Waivers) -> _Images:
    """Those of others, pinned. Raises ImageRefused for one that may not be run."""
    references = {name: _pinned(services, name) for name in names}
    told = {
        name: services.home.stacks.configuration(image, services.settings.pull_seconds)
        for name, image in references.items()
    }
    notes = check_foreign_images(told, composed, waivers)
    return _Images(references, {name: configuration.ports for name, configuration in told.items()}, notes)


def _tagged(services: Services, pipeline: Pipeline, digests: Mapping[ImageBuild, str], *, version: bool) -> list[str]:
    """Gives the images the names by which people know them, once: no tag is ever written a second time.

    What a version means is said by branches that are protected. Notes tell what could not be.
    """
    notes = []
    for build, digest in digests.items():
        for tag in build.tags:
            if tag == pipeline.commit or version:
                there = services.registry.tag(build.reference, digest, tag)
                if there != digest and tag != pipeline.commit:
                    notes.append(
                        f"{build.reference}:{tag} is there already and stays: raise VERSION in {build.dockerfile}."
                    )
            else:
                notes.append(f"{build.reference} gets its version {tag} on a protected branch alone.")
    return notes


def _references(services: Services, digests: Mapping[ImageBuild, str]) -> dict[str, str]:
    """Each reference that a Compose file may write for an image of this commit, to the one by digest."""
    return {
        name: f"{services.settings.registry}/{build.reference}@{digest}"
        for build, digest in digests.items()
        for name in _names(services, build)
    }


def _names(services: Services, build: ImageBuild) -> tuple[str, ...]:
    name = f"{services.settings.registry}/{build.reference}"
    return (name, *(f"{name}:{tag}" for tag in build.tags))


def _check_routes(composed: Iterable[ComposeFile], ports: Mapping[str, tuple[int, ...]]) -> None:
    """Now that the images tell their ports. Raises ComposeRefused for a route that has none."""
    for file in composed:
        routes(file.with_ports(ports))


def _compose(services: Services, pipeline: Pipeline, environments: Iterable[Environment]) -> tuple[str, dict[str, str]]:
    """Name of the Compose file at the commit, and the texts that the release keeps; empty where there are none."""
    tree = services.repositories.paths(pipeline.project_id, pipeline.commit)
    return kept_files(tree.files, environments, reader(services, pipeline.project_id, pipeline.commit, tree))


def _dotenv(services: Services, pipeline: Pipeline) -> str:
    """The text of a committed `.env`, which is for development, so that the plan can tell what differs."""
    tree = services.repositories.paths(pipeline.project_id, pipeline.commit)
    if not tree.has(dotenv.FILE):
        return ""
    try:
        text = services.repositories.read(pipeline.project_id, pipeline.commit, dotenv.FILE, tree)
    except Invalid:  # too large, or no text: nothing that a deployment could miss
        return ""
    return text.replace("\0", "")  # which the database cannot hold


def draft(
    services: Services,
    pipeline: Pipeline,
    images: dict[str, str],
    file: str,
    texts: dict[str, str],
    default_branch: str,
) -> Release:
    """The release as it will be, to find out which further images it needs."""
    return Release(
        id=0,
        project_id=pipeline.project_id,
        project=pipeline.project,
        number=0,
        pipeline_id=pipeline.id,
        commit=pipeline.commit,
        branch=pipeline.branch,
        title=pipeline.title,
        images=images,
        compose_file=file,
        texts=texts,
        created_at=services.now(),
        variables=travelling(pipeline.variables),
        default_branch=default_branch,
        author=pipeline.commit_author,
        committed_at=pipeline.committed_at,
        pipeline_created_at=pipeline.created_at,
    )


def _composed(services: Services, wanted: Release, environments: Iterable[Environment]) -> tuple[ComposeFile, ...]:
    """The Compose file as each environment has it. Raises ComposeRefused."""
    found = []
    for environment in (each for each in environments if is_deployable(wanted, each)):
        with services.database.reading() as tx:
            gathered = gather(services, tx, Wanted(wanted, environment))
        found.append(compose(services, gathered).compose)
    return tuple(found)


def _as_far_as_it_loads(
    services: Services, wanted: Release, environments: Iterable[Environment]
) -> Iterable[ComposeFile]:
    """For environments that do not take the branch: what is refused there cannot be deployed there."""
    for environment in environments:
        with suppress(CabestanError):
            yield from _composed(services, wanted, (environment,))


def _foreign_images(wanted: Release, composed: Iterable[ComposeFile]) -> tuple[str, ...]:
    """What the Compose file names and the pipeline did not build."""
    found = dict.fromkeys(service.image for file in composed for service in file.services if service.image)
    return tuple(image for image in found if image not in wanted.images)


def _pinned(services: Services, image: str) -> str:
    """By digest. One of the platform's own catalogue is built where it is not there yet."""
    if in_registry(image, services.settings.registry):
        raise Invalid(f"The Compose file names {image}, which this pipeline did not build.", "Add its Dockerfile.")
    if "@sha256:" in image:
        return image
    meant = base_images.known(services).meant(image, "The Compose file")
    if meant:
        base_images.ensure(services, meant)
    return services.home.stacks.pin(meant or image, services.settings.pull_seconds)
