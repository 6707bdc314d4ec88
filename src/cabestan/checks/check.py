"""All checks of a subject, as one list of findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cabestan.checks.compose_file import link_refused, read
from cabestan.checks.contexts import check_sources, context_of
from cabestan.checks.dockerfile_form import check_form
from cabestan.checks.elsewhere import check_elsewhere
from cabestan.checks.hadolint import hadolint
from cabestan.checks.images import check_dockerfile
from cabestan.checks.ports import ports_of
from cabestan.checks.scripts import check_scripts
from cabestan.checks.subject import Place, Subject
from cabestan.compose.building import Build
from cabestan.compose.dotenv import check_dotenv
from cabestan.compose.findings import NOTHING_WAIVED, ComposeRefused, Report, Waivers
from cabestan.compose.interpolate import InterpolationRefused, expand
from cabestan.compose.load import builds_of
from cabestan.compose.model import ComposeFile
from cabestan.compose.used_images import used_images
from cabestan.domain.finding import Finding, in_order
from cabestan.domain.image import repository_of
from cabestan.domain.names import project_name
from cabestan.domain.pipeline import Blueprint, ImageBuild
from cabestan.domain.tree import LinkRefused
from cabestan.errors import CabestanError, Invalid
from cabestan.pipeline.convention import (
    LIKELY_NAME,
    AskedBuild,
    BuildRefused,
    Source,
    blueprint,
    dockerfiles,
    variables_of,
)
from cabestan.pipeline.refused import DockerfileRefused
from cabestan.pipeline.stages import until_target

#: what a job would run in; nothing runs here
_NO_IMAGE = "-"
_BUILT_ONCE = "Write the value out, give it a default as in ${NAME:-default}, or read it under environment."


@dataclass(frozen=True, slots=True)
class Planned:
    """What a subject's pipeline will build, and what is wrong with that."""

    blueprint: Blueprint | None
    texts: dict[str, str]
    findings: tuple[Finding, ...]

    @property
    def builds(self) -> tuple[ImageBuild, ...]:
        return tuple(job.build for job in self.blueprint.builds) if self.blueprint else ()


def check(subject: Subject, places: Sequence[Place], waivers: Waivers = NOTHING_WAIVED) -> tuple[Finding, ...]:
    """File by file, line by line. `places` are one or more; what holds in all of them is told once."""
    planned = plan(subject)
    found = [*planned.findings, *_check_name(subject)]
    composed: list[ComposeFile] = []
    if subject.sets or any(place.compose for place in places):
        built = _names(subject, planned) if planned.blueprint else None
        ports = ports_of(subject, planned.blueprint, planned.texts)
        reads = [(place, read(subject, place, waivers, built, ports)) for place in places]
        found += _joined([(place, one.findings) for place, one in reads])
        composed = [one.compose for _, one in reads if one.compose]
    else:
        found += _no_compose_file(subject)
    found += _check_dockerfiles(subject, planned, composed, waivers)
    found += _check_contexts(subject, planned)
    found += check_scripts(subject, planned.texts, composed)
    if subject.env_file:
        found += _check_env_file(subject, places)
    return in_order(found)


def plan(subject: Subject, job_image: str = _NO_IMAGE) -> Planned:
    """The jobs that build the subject's images, or why there can be none."""
    texts: dict[str, str] = {}
    try:
        builds = _asked(subject)
        texts = {path: subject.read(path) for path in dockerfiles(subject.files, builds) if subject.tree.has(path)}
        source = Source(
            project=subject.project,
            commit=subject.commit,
            branch=subject.branch,
            registry=subject.registry,
            files=subject.files,
            builds=builds,
            texts=texts,
            base_images=subject.base_images,
            used=_used(subject),
        )
        return Planned(blueprint(source, job_image=job_image), texts, ())
    except ComposeRefused as refused:
        return Planned(None, texts, refused.findings)
    except DockerfileRefused as error:
        return Planned(None, texts, (_dockerfile_refused(error),))
    except LinkRefused as error:
        return Planned(None, texts, (link_refused(error),))
    except BuildRefused as error:
        place = error.build
        finding = _finding("build-plan", place.file, error)
        path = f"services.{place.service}.build"
        return Planned(None, texts, (replace(finding, line=place.line, column=place.column, path=path),))
    except Invalid as error:
        file = subject.compose[0] if subject.compose else next(iter(sorted(texts)), "Dockerfile")
        return Planned(None, texts, (_finding("build-plan", file, error),))


def _asked(subject: Subject) -> tuple[AskedBuild, ...]:
    """The same build of several sets once. Raises ComposeRefused."""
    found = [
        _with_args(subject, names[0], build)
        for names in subject.sets
        for build in builds_of(subject.sources(names), read=subject.further)
    ]
    return tuple(dict.fromkeys(found))


def _with_args(subject: Subject, file: str, build: Build) -> AskedBuild:
    """The values of its ARGs filled in. An image is built once, so that only what every environment has can be used."""
    report = Report(file)
    given = variables_of(subject)
    args = [
        (name, _argument(report, build, name, given.get(name) if raw is None else raw, given))
        for name, raw in build.args
    ]
    report.refuse_if_wrong()
    return AskedBuild(
        service=build.service,
        context=build.context,
        dockerfile=build.dockerfile,
        image=build.image,
        target=build.target,
        args=tuple((name, value) for name, value in args if value is not None),
        file=build.spot.file or file,
        line=build.spot.line,
        column=build.spot.column,
    )


def _argument(report: Report, build: Build, name: str, raw: str | None, given: Mapping[str, str]) -> str | None:
    """None where the ARG's own default is to hold."""
    if raw is None:
        return None
    spot = replace(build.spot, path=f"services.{build.service}.build.args.{name}")
    try:
        expansion = expand(raw, given)
    except InterpolationRefused as error:
        report.error("build-args", spot, error.message, _BUILT_ONCE)
        return None
    for unset in expansion.unset:
        message = (
            f"{name} is given {unset}, which only environments may have; the image is built once, for all of them."
        )
        report.error("build-args", spot, message, _BUILT_ONCE)
    return expansion.text


def _used(subject: Subject) -> tuple[str, ...]:
    return tuple(image for names in subject.sets for name in names for image in used_images(subject.read(name), name))


def _names(subject: Subject, planned: Planned) -> frozenset[str]:
    """All names by which a Compose file may mean an image that is built."""
    names = ((f"{subject.registry}/{build.reference}", build.tags) for build in planned.builds)
    return frozenset(name + tag for name, tags in names for tag in ("", *(f":{tag}" for tag in tags)))


def _check_name(subject: Subject) -> Iterable[Finding]:
    try:
        project_name(subject.project)
    except Invalid as error:
        yield _finding("project-name", subject.compose[0] if subject.compose else ".", error)


def _no_compose_file(subject: Subject) -> Iterable[Finding]:
    """A warning: an environment may name another one later, and images alone may be what is wanted."""
    others = [path for path in sorted(subject.files) if LIKELY_NAME.fullmatch(path)]
    remedy = "Commit a docker-compose.yml that names the services."
    if others:
        remedy += f" Or name {others[0]} for an environment: cabestan environment set ENV --compose-file {others[0]}."
    message = "There is no Compose file, so images are built and nothing is deployed."
    yield Finding("no-compose-file", "warning", "docker-compose.yml", 1, 1, "", message, remedy)


def _check_contexts(subject: Subject, planned: Planned) -> Iterable[Finding]:
    """What the builds will find, and what they take that will not be there."""
    contexts = []
    for build in planned.builds:
        text = planned.texts[build.dockerfile]
        form = check_form(build.dockerfile, text)
        yield from form
        try:
            context = context_of(subject, build)
        except LinkRefused as error:
            yield link_refused(error)
            continue
        except DockerfileRefused as error:
            yield _dockerfile_refused(error)
            continue
        contexts.append(context)
        if not form:
            yield from check_sources(context, build.dockerfile, text)
    yield from check_elsewhere(subject, contexts)


def _check_dockerfiles(
    subject: Subject, planned: Planned, composed: Sequence[ComposeFile], waivers: Waivers
) -> Iterable[Finding]:
    """Those of images that no service runs may be what they like: tools, bases, images for development."""
    run = used_builds(planned.builds, subject.registry, composed) if composed else ()
    for path, text in sorted(planned.texts.items()):
        yield from hadolint(path, text)
        stages = dict.fromkeys(until_target(text, build.target) for build in run if build.dockerfile == path)
        yield from dict.fromkeys(one for stage in stages for one in check_dockerfile(path, stage, waivers))


def used_builds(builds: Iterable[ImageBuild], registry: str, composed: Iterable[ComposeFile]) -> tuple[ImageBuild, ...]:
    """The builds whose images a service runs."""
    images = {service.image for compose in composed for service in compose.services}
    repositories = {repository_of(image) for image in images}
    return tuple(build for build in builds if f"{registry}/{build.reference}" in repositories)


def _check_env_file(subject: Subject, places: Sequence[Place]) -> tuple[Finding, ...]:
    """Compared with what is known of the places."""
    known: dict[str, str] = {}
    for place in places:
        known |= place.known
    try:
        compose = [subject.read(file) for file in subject.compose]
        return check_dotenv(subject.read(subject.env_file), compose, known)
    except LinkRefused as error:
        return (link_refused(error),)


def _joined(found: Sequence[tuple[Place, tuple[Finding, ...]]]) -> list[Finding]:
    """What is told for some places only names them, and is an error where one of them decides."""
    places: dict[Finding, list[Place]] = {}
    for place, findings in found:
        for finding in findings:
            places.setdefault(finding, []).append(place)
    return [_in_places(finding, told, len(found)) for finding, told in places.items()]


def _in_places(finding: Finding, told: list[Place], all_places: int) -> Finding:
    if len(told) < all_places:
        where = ", ".join(place.name for place in told)
        finding = replace(finding, message=f"In {where}: {finding.message}")
    if finding.severity == "error" and not any(place.decides for place in told):
        finding = replace(finding, severity="warning")
    return finding


def _dockerfile_refused(error: DockerfileRefused) -> Finding:
    finding = _finding(error.code, error.file, error)
    return replace(finding, line=max(1, error.line), message=error.what)


def _finding(code: str, file: str, error: CabestanError) -> Finding:
    return Finding(code, "error", file, 1, 1, "", error.message, error.remedy)
