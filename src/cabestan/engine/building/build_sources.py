"""What a build works on: the files of its commit as Git's objects have them, and its Dockerfile as it was read.

Both come from the server, which also notes the digest that the build tells in the end.
"""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from cabestan.adapters.git_trees import LINK, SUBMODULE, TreeFile, check_target
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.domain.image import in_registry
from cabestan.domain.pipeline import Base, BuildJob, ImageBuild, Job, Pipeline
from cabestan.domain.registry_access import Access, rights_of_job
from cabestan.domain.status import RunStatus
from cabestan.domain.tree import resolve
from cabestan.engine import base_images
from cabestan.engine.registry_login import registry_login
from cabestan.engine.services import Services
from cabestan.errors import CabestanError, Conflict, Invalid, StepFailed
from cabestan.pipeline.ignoring import ignore_files
from cabestan.pipeline.writing import written
from cabestan.store import pipelines as store

_CONTEXT = "context/"
_PIECE = 256 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Beginning:
    """What a build takes something from: its Dockerfile's names for images, and what stands in their places."""

    names: Mapping[str, str]
    registry: RegistryLogin

    @property
    def pulled(self) -> tuple[str, ...]:
        """The references in our own registry, to which the builder has a way only before the build."""
        return tuple(sorted({name for name in self.names.values() if in_registry(name, self.registry.address)}))

    def rights(self, project: str, build: ImageBuild) -> tuple[Access, ...]:
        return rights_of_job(project, build.reference, (self.registry.repository(name) for name in self.pulled))


def beginning(services: Services, job: Job) -> Beginning:
    """Raises StepFailed where what it builds on is not there."""
    spec = build_of(job)
    with services.database.reading() as tx:
        digests = {one.name: one.digest for one in store.jobs_of(tx, job.pipeline_id)}
    names = {base.written: _place(services, spec, base, digests) for base in spec.bases}
    return Beginning(names, registry_login(services.settings, services.vault))


def _place(services: Services, spec: BuildJob, base: Base, digests: Mapping[str, str]) -> str:
    if base.job:
        if not digests.get(base.job):
            raise StepFailed(f"The job {base.job} has not told which image it pushed.", "Retry the pipeline.")
        return f"{base.meant}@{digests[base.job]}"
    return base_images.published(services, base.meant) if base.meant in spec.base_images else base.meant


def source(services: Services, job: Job) -> Iterator[bytes]:
    """A tar: `Dockerfile` with its ignore file, `bases` to pull, `authorities.crt`, and the files below `context/`.

    Raises CabestanError before the first piece, or ends with a file `refused` that says why.
    """
    build = build_of(job).build
    with services.database.reading() as tx:
        pipeline = store.get(tx, job.pipeline_id)
    begins = beginning(services, job)
    bundle = services.settings.ca_bundle
    tree = services.repositories.paths(pipeline.project_id, pipeline.commit)
    read = partial(services.repositories.read, pipeline.project_id, pipeline.commit, tree=tree)
    kept = {
        "Dockerfile": written(read(build.dockerfile), begins.names, authorities=bool(bundle)),
        # always there, so that no client looks for another one
        "Dockerfile.dockerignore": next(
            (read(path) for path in ignore_files(build.dockerfile, build.context) if path in tree.files), ""
        ),
        "bases": "".join(f"{name}\n" for name in begins.pulled),
        **({"authorities.crt": bundle.read_text()} if bundle else {}),
    }
    services.repositories.check(pipeline.project_id, pipeline.commit)
    context = resolve(build.context, tree.links)
    return _in_pieces(_tar(services, pipeline, f"{context}/" if context else "", kept))


def take_image(services: Services, job_id: int, digest: str) -> None:
    """The image that the job has pushed. Raises Invalid, and Conflict for one that does not run."""
    if not _DIGEST.fullmatch(digest):
        raise Invalid(f"{digest[:100]} is no digest of an image.", "Tell it as sha256:… of 64 hexadecimal digits.")
    with services.database.writing() as tx:
        job = store.get_job(tx, job_id)
        if job.status is not RunStatus.RUNNING:
            raise Conflict(f"The job {job_id} does not run.", "Retry it.")
        store.update_job(tx, job_id, digest=digest)


def running_job(tx: sa.Connection, job_id: int) -> Job:
    """Raises Conflict where it is over, and nothing is left to be built."""
    job = store.get_job(tx, job_id)
    if job.status is not RunStatus.RUNNING or store.job_cancel_asked(tx, job_id):
        raise Conflict(f"The job {job_id} does not run any more.", "Retry it.")
    return job


def build_of(job: Job) -> BuildJob:
    if not isinstance(job.spec, BuildJob):
        raise Invalid(f"The job {job.name} builds no image.", "Ask for the source of one that does.")
    return job.spec


def _tar(services: Services, pipeline: Pipeline, folder: str, kept: Mapping[str, str]) -> Iterator[bytes]:
    made = int((pipeline.committed_at or pipeline.created_at).timestamp())
    for name, text in kept.items():
        yield from _file(name, text.encode(), made)
    yield _header(_CONTEXT, made, tarfile.DIRTYPE, 0o755)
    try:
        with closing(services.repositories.files(pipeline.project_id, pipeline.commit, folder=folder)) as files:
            for file in files:
                yield from _entry(f"{_CONTEXT}{file.path.removeprefix(folder)}", file, made)
    except CabestanError as error:
        yield from _file("refused", str(error).encode(), made)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _entry(name: str, file: TreeFile, made: int) -> Iterator[bytes]:
    """Git has no path twice, none that leads out, and no file below a link."""
    if file.mode == SUBMODULE:
        yield _header(f"{name}/", made, tarfile.DIRTYPE, 0o755)
        return
    check_target(file.path, file.mode, file.size)
    if file.mode == LINK:
        yield _header(name, made, tarfile.SYMTYPE, 0o777, link=b"".join(file.content))
        return
    yield _header(name, made, tarfile.REGTYPE, file.mode & 0o777, file.size)
    yield from file.content
    yield bytes(-file.size % tarfile.BLOCKSIZE)


def _file(name: str, content: bytes, made: int) -> Iterator[bytes]:
    yield _header(name, made, tarfile.REGTYPE, 0o644, len(content))
    yield content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _header(name: str, made: int, kind: bytes, mode: int, size: int = 0, link: bytes = b"") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.mtime = kind, mode, size, made
    entry.linkname = link.decode(errors="surrogateescape")
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _in_pieces(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Few large ones: each is handed to the connection's thread."""
    held = io.BytesIO()
    for part in parts:
        held.write(part)
        if held.tell() >= _PIECE:
            yield held.getvalue()
            held = io.BytesIO()
    yield held.getvalue()
