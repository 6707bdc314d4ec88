"""What is kept and what goes."""

from datetime import UTC, datetime

from cabestan.adapters.local_images import LocalImage, parse_images
from cabestan.engine.upkeep.housekeeping import superfluous

NOW = datetime(2026, 1, 10, tzinfo=UTC)
OLD = datetime(2026, 1, 1, tzinfo=UTC)
REGISTRY = "127.0.0.1:5600"


def image(name: str, created_at: datetime = OLD) -> LocalImage:
    return LocalImage((f"{REGISTRY}/shop/{name}:1",), (f"{REGISTRY}/shop/{name}@sha256:{name}",), created_at)


def test_an_old_image_that_no_release_needs_is_superfluous() -> None:
    assert superfluous((image("a"),), frozenset(), NOW) == (image("a"),)


def test_what_a_release_needs_is_kept_by_its_digest() -> None:
    kept = frozenset({f"{REGISTRY}/shop/a@sha256:a"})
    assert superfluous((image("a"), image("b")), kept, NOW) == (image("b"),)


def test_a_young_image_is_kept() -> None:
    assert superfluous((image("a", NOW),), frozenset(), NOW) == ()


def test_only_references_in_our_registry_are_seen() -> None:
    answer = [
        {"RepoTags": [f"{REGISTRY}/shop/a:1", "mine:latest"], "RepoDigests": None, "Created": OLD.timestamp()},
        {"RepoTags": ["debian:12"], "RepoDigests": ["debian@sha256:1"], "Created": OLD.timestamp()},
        {"RepoTags": None, "RepoDigests": [f"{REGISTRY}0/shop/b@sha256:2"], "Created": OLD.timestamp()},
    ]
    assert parse_images(answer, REGISTRY) == (LocalImage((f"{REGISTRY}/shop/a:1",), (), OLD),)
