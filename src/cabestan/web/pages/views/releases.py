"""Releases, and where each of them runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cabestan.domain.release import Release
from cabestan.web.pages.views.commits import CommitView, commit_view
from cabestan.web.pages.views.moments import When, when


@dataclass(frozen=True)
class ImageView:
    """An image as the Compose file writes it, and by digest."""

    name: str
    short_digest: str
    reference: str


@dataclass(frozen=True)
class ReleaseRow:
    number: int
    commit: CommitView
    created: When
    pipeline_id: int
    pipeline_href: str
    images: tuple[ImageView, ...]
    #: names of the environments where it serves now
    serves: tuple[str, ...]


def release_row(release: Release, serving: Mapping[int, tuple[str, ...]], now: datetime) -> ReleaseRow:
    """`serving` maps a release's id to the environments where it serves."""
    return ReleaseRow(
        number=release.number,
        commit=commit_view(release.commit, release.title, release.branch),
        created=when(release.created_at, now),
        pipeline_id=release.pipeline_id,
        pipeline_href=f"/{release.project}/pipelines/{release.pipeline_id}",
        images=tuple(image_view(name, reference) for name, reference in sorted(release.images.items())),
        serves=serving.get(release.id, ()),
    )


def image_view(name: str, reference: str) -> ImageView:
    digest = reference.partition("@sha256:")[2]
    return ImageView(name, digest[:12], reference)


def serving_map(currents: Iterable[tuple[int, str]]) -> Mapping[int, tuple[str, ...]]:
    """From pairs of a release's id and the environment that it serves."""
    found: dict[int, tuple[str, ...]] = {}
    for release_id, environment in currents:
        found[release_id] = (*found.get(release_id, ()), environment)
    return found
