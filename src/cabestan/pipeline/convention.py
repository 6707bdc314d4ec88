"""The pipeline of a repository that has no pipeline file: build every image, make a release."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from cabestan.domain.pipeline import Base, Blueprint, BuildJob, ImageBuild
from cabestan.errors import Invalid
from cabestan.pipeline.base_images import NO_BASE_IMAGES, BaseImages
from cabestan.pipeline.dockerfile import Dockerfile, filled_in, parse_dockerfile, substitute
from cabestan.pipeline.refused import refuse
from cabestan.pipeline.stages import has_stage, stage_names

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
#: files at the repository's root that an environment may come to name later
LIKELY_NAME = re.compile(r"[A-Za-z0-9._-]*compose[A-Za-z0-9._-]*\.ya?ml")
PIPELINE_FILE = ".gitlab-ci.yml"
#: More images than this in one repository are taken for a mistake.
MOST_IMAGES = 30
_ROOT_DOCKERFILE = re.compile(r"Dockerfile(?:[.-]([A-Za-z0-9][A-Za-z0-9_.-]*))?")
#: belongs to a Dockerfile, and is none
_IGNORE_FILE = ".dockerignore"
_IMAGE_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass(frozen=True)
class AskedBuild:
    """A `build:` of a Compose file. `image` is as written there, empty where it is not."""

    service: str
    context: str
    dockerfile: str
    image: str
    target: str = ""
    args: tuple[tuple[str, str], ...] = ()
    #: where the service stands
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


class BuildRefused(Invalid):
    """A service cannot be built as it asks to be."""

    def __init__(self, message: str, remedy: str, build: AskedBuild) -> None:
        super().__init__(message, remedy)
        self.build = build


class OfCommit(Protocol):
    """What is known of a commit, and what every build of it may use."""

    @property
    def commit(self) -> str: ...
    @property
    def branch(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def registry(self) -> str: ...
    @property
    def registry_image(self) -> str: ...


@dataclass(frozen=True)
class Source:
    """A commit, as far as the convention looks at it. `files` are all paths; `texts` the Dockerfiles' contents.

    `base_images` are those that the platform makes itself; `used` are the images of the Compose file's services, as
    written there.
    """

    project: str
    commit: str
    branch: str
    registry: str
    files: frozenset[str]
    builds: tuple[AskedBuild, ...]
    texts: Mapping[str, str]
    base_images: BaseImages = NO_BASE_IMAGES
    used: tuple[str, ...] = ()

    @property
    def registry_image(self) -> str:
        return f"{self.registry}/{self.project}"


def compose_file(files: frozenset[str]) -> str | None:
    """The one that counts, in Docker's own order."""
    return next((name for name in COMPOSE_FILES if name in files), None)


def dockerfiles(files: frozenset[str], builds: tuple[AskedBuild, ...]) -> tuple[str, ...]:
    """The paths whose texts `blueprint` needs. Raises Invalid where they are too many."""
    asked = tuple(dict.fromkeys(_asked_path(build) for build in builds))
    found = asked or tuple(sorted(path for path in files if _is_dockerfile(path)))
    if len(found) > MOST_IMAGES:
        raise Invalid(f"{len(found)} images are to be built.", f"At most {MOST_IMAGES} are; split the repository.")
    return found


def _is_dockerfile(path: str) -> bool:
    return bool(_ROOT_DOCKERFILE.fullmatch(path)) and not path.endswith(_IGNORE_FILE)


def blueprint(source: Source, *, job_image: str) -> Blueprint:
    """One build job per image, in need of those that it builds on. Raises Invalid, naming the file."""
    images = _images(source)
    parsed = {image.name: _parsed(image, source) for image in images}
    images = tuple(replace(image, tags=_tags(source, parsed[image.name])) for image in images)
    needs = {image.name: _siblings(image, images, parsed, source) for image in images}
    _refuse_cycles(needs, {image.name: image.dockerfile for image in images})
    jobs = tuple(_job(image, parsed[image.name], needs[image.name], source, job_image) for image in images)
    return Blueprint(jobs, _notes(source, jobs))


def _parsed(image: ImageBuild, source: Source) -> Dockerfile:
    path, text = image.dockerfile, source.texts[image.dockerfile]
    found = parse_dockerfile(text, path)
    given = _given(image, source)
    refuse(path, text, source.registry, source.registry_image, lambda written: filled_in(path, found, written, given))
    return found


def job_name(image_name: str) -> str:
    return f"build {image_name}" if image_name else "build"


def _images(source: Source) -> tuple[ImageBuild, ...]:
    if source.builds:
        return _one_per_reference((_asked(build, source), build) for build in source.builds)
    return _one_per_reference((_at_root(path, source), None) for path in dockerfiles(source.files, ()))


def _one_per_reference(images: Iterable[tuple[ImageBuild, AskedBuild | None]]) -> tuple[ImageBuild, ...]:
    """Services may share an image; what is built for it must be the same then."""
    found: dict[str, ImageBuild] = {}
    for image, build in images:
        other = found.setdefault(image.reference, image)
        if _made_of(other) == _made_of(image):
            continue
        what = f"{other.dockerfile} in {other.context} and {image.dockerfile} in {image.context}"
        if _made_of(other)[:2] == _made_of(image)[:2]:
            what = f"The services {other.service} and {image.service}, whose target or args differ,"
        message = f"{what} would both become the image {image.reference}."
        if build is None:
            raise Invalid(message, "Give one of them another name.")
        name = f"${{CI_REGISTRY_IMAGE}}/{build.service}:${{CI_COMMIT_SHA}}"
        raise BuildRefused(message, f"Leave image out of the service {build.service}, or write image: {name}.", build)
    return tuple(found.values())


def _made_of(image: ImageBuild) -> tuple[object, ...]:
    return image.dockerfile, image.context, image.target, image.args


def _at_root(path: str, source: Source) -> ImageBuild:
    name = _checked_name(_name_at_root(path) or _name_of_the_plain_one(source), path)
    return ImageBuild(name, path, ".", _reference(source.project, name))


def _name_at_root(path: str) -> str:
    """`Dockerfile.app` makes the image `app`."""
    match = _ROOT_DOCKERFILE.fullmatch(path)
    return (match[1] or "").lower() if match else ""


def _name_of_the_plain_one(source: Source) -> str:
    """`Dockerfile` makes the project's own image, or the one that the Compose file uses and no other file makes."""
    used = {_name_within(image, source) for image in source.used}
    made = {_name_at_root(path) for path in source.texts}
    missing = sorted(name for name in used if name is not None and name not in made - {""})
    return missing[0] if len(missing) == 1 else ""


def _asked(build: AskedBuild, source: Source) -> ImageBuild:
    path = _asked_path(build)
    if path not in source.texts:
        raise BuildRefused(
            f"The service {build.service} is to be built from {path}, which the commit does not have.",
            "Correct build.context or build.dockerfile in the Compose file, or commit the file.",
            build,
        )
    if build.target and not has_stage(source.texts[path], build.target):
        there = ", ".join(stage_names(source.texts[path])) or "none with a name"
        raise BuildRefused(
            f"The service {build.service} is to be built up to the stage {build.target}, which {path} does not have.",
            f"Correct build.target; there are: {there}.",
            build,
        )
    name = _name_in_reference(build, source)
    if name and not _IMAGE_NAME.fullmatch(name):
        raise BuildRefused(
            f"The service {build.service} would make an image named “{name}”, which no registry takes.",
            "Write image: ${CI_REGISTRY_IMAGE}/NAME:${CI_COMMIT_SHA}, with lower-case letters, digits and single . _ -",
            build,
        )
    return ImageBuild(
        name,
        path,
        posixpath.normpath(build.context),
        _reference(source.project, name),
        service=build.service,
        target=build.target,
        args=build.args,
    )


def _asked_path(build: AskedBuild) -> str:
    path = posixpath.normpath(posixpath.join(build.context, build.dockerfile or "Dockerfile"))
    if path.startswith(("../", "/")) or path == "..":
        raise BuildRefused(
            f"The service {build.service} is to be built from {path}, outside the repository.",
            "Keep context and Dockerfile inside the repository.",
            build,
        )
    return path


def _name_in_reference(build: AskedBuild, source: Source) -> str:
    """`${CI_REGISTRY_IMAGE}/app:…` names the image `app`; one without such a name is called as its service is."""
    name = _name_within(build.image, source) if build.image else None
    return build.service.lower() if name is None else name


def _name_within(written: str, source: Source) -> str | None:
    """What stands behind the project's own reference, empty for that itself; None for another project's image."""
    repository = substitute(written, {}, variables_of(source)).partition("@")[0]
    head, _, last = repository.rpartition("/")
    repository = f"{head}/{last.partition(':')[0]}"
    if repository != source.registry_image and not repository.startswith(f"{source.registry_image}/"):
        return None
    return repository.removeprefix(source.registry_image).lstrip("/")


def _checked_name(name: str, path: str) -> str:
    if name and not _IMAGE_NAME.fullmatch(name):
        raise Invalid(
            f"{path} would make an image named “{name}”, which no registry takes.",
            "Use lower-case letters, digits, dots, underscores and hyphens.",
        )
    return name


def _reference(project: str, name: str) -> str:
    return f"{project}/{name}" if name else project


def _tags(source: Source, dockerfile: Dockerfile) -> tuple[str, ...]:
    return (source.commit, dockerfile.version) if dockerfile.version else (source.commit,)


def _siblings(
    image: ImageBuild, images: tuple[ImageBuild, ...], parsed: Mapping[str, Dockerfile], source: Source
) -> tuple[tuple[str, ImageBuild], ...]:
    """The images of this repository that it builds on, each with the reference as its Dockerfile writes it."""
    found = []
    for written in parsed[image.name].bases:
        filled = substitute(written, parsed[image.name].arguments, _given(image, source))
        for other in images:
            if other.name != image.name and filled in _known_as(other, parsed[other.name], source):
                found.append((written, other))
    return tuple(found)


def _bases(
    image: ImageBuild, dockerfile: Dockerfile, siblings: tuple[tuple[str, ImageBuild], ...], source: Source
) -> tuple[Base, ...]:
    """All that it takes something from: of this repository, of the catalogue, or of elsewhere, variables filled in."""
    made = {
        written: Base(written, f"{source.registry}/{other.reference}", job_name(other.name))
        for written, other in siblings
    }
    return tuple(made.get(written) or _base(image, dockerfile, written, source) for written in dockerfile.bases)


def _base(image: ImageBuild, dockerfile: Dockerfile, written: str, source: Source) -> Base:
    filled = substitute(written, dockerfile.arguments, _given(image, source))
    meant = source.base_images.meant(filled, image.dockerfile, dockerfile.lines.get(written, 1))
    return Base(written, meant or filled)


def _known_as(image: ImageBuild, dockerfile: Dockerfile, source: Source) -> frozenset[str]:
    """All references by which another Dockerfile of the repository may mean this image."""
    names = {image.reference, f"{source.registry}/{image.reference}"} | (
        {dockerfile.named} if dockerfile.named else set()
    )
    tags = {"", ":latest", *(f":{tag}" for tag in image.tags)}
    return frozenset(name + tag for name in names for tag in tags)


def _refuse_cycles(needs: Mapping[str, tuple[tuple[str, ImageBuild], ...]], files: Mapping[str, str]) -> None:
    left = {name: {other.name for _, other in siblings} for name, siblings in needs.items()}
    while free := [name for name, others in left.items() if not others]:
        for name in free:
            del left[name]
        left = {name: others.difference(free) for name, others in left.items()}
    if left:
        circle = ", ".join(sorted(files[name] for name in left))
        raise Invalid(
            f"The images of {circle} build on each other in a circle.", "Let one of them start from another base."
        )


def _job(
    image: ImageBuild,
    dockerfile: Dockerfile,
    siblings: tuple[tuple[str, ImageBuild], ...],
    source: Source,
    job_image: str,
) -> BuildJob:
    given = {name: value for name, value in variables_of(source).items() if name in dockerfile.arguments}
    given |= dict(image.args)
    bases = _bases(image, dockerfile, siblings, source)
    environment = {
        **variables_of(source),
        "IMAGE": f"{source.registry}/{image.reference}",
        "DOCKERFILE": image.dockerfile,
        "CONTEXT": image.context,
        "TARGET": image.target,
        "BUILD_ARGUMENTS": "\n".join(f"{name}={value}" for name, value in given.items()),
    }
    return BuildJob(
        name=job_name(image.name),
        stage="build",
        image=job_image,
        needs=tuple(dict.fromkeys(job_name(other.name) for _, other in siblings)),
        environment=tuple(environment.items()),
        build=image,
        base_images=tuple(dict.fromkeys(base.meant for base in bases if base.meant in source.base_images.references)),
        bases=bases,
    )


def _given(image: ImageBuild, source: Source) -> dict[str, str]:
    """What its build is given; what it asks for itself comes over the rest."""
    return {**variables_of(source), **dict(image.args)}


def variables_of(source: OfCommit) -> dict[str, str]:
    """What every build of the commit may use."""
    return {
        "CI_COMMIT_SHA": source.commit,
        "CI_COMMIT_BRANCH": source.branch,
        "CI_PROJECT_PATH": source.project,
        "CI_REGISTRY": source.registry,
        "CI_REGISTRY_IMAGE": source.registry_image,
    }


def _notes(source: Source, jobs: tuple[BuildJob, ...]) -> tuple[str, ...]:
    notes = []
    if PIPELINE_FILE in source.files:
        notes.append(f"{PIPELINE_FILE} is not read yet: the convention built every Dockerfile instead.")
    if not jobs:
        notes.append("There is no Dockerfile at the root and no build: in the Compose file, so nothing is built.")
    return tuple(notes)
