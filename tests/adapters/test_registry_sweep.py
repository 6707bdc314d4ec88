"""What a deleted project leaves in the registry goes, and nothing that another one has."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cabestan.adapters.registry_sweep import SWEEP

SHARED, OWN, MANIFEST, FOREIGN = (digit * 64 for digit in "1234")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The registry's files: two projects of one group, with a layer in common, and a base image."""
    root = tmp_path / "docker/registry/v2"
    for repository, layers, manifests in (
        ("shop/api", (SHARED, OWN), (MANIFEST,)),
        ("shop/api/web", (OWN,), ()),
        ("shop/api-two", (FOREIGN,), ()),
        ("library/debian", (SHARED,), ()),
    ):
        places = [f"_layers/sha256/{layer}" for layer in layers] + [
            f"_manifests/revisions/sha256/{m}" for m in manifests
        ]
        for place in places:
            folder = root / "repositories" / repository / place
            folder.mkdir(parents=True)
            (folder / "link").write_text("sha256:…")
    for digest in (SHARED, OWN, MANIFEST, FOREIGN):
        folder = root / "blobs/sha256" / digest[:2] / digest
        folder.mkdir(parents=True)
        (folder / "data").write_text("x")
    return root


def sweep(root: Path, project: str = "shop/api") -> None:
    environment = {"REGISTRY_FILES": str(root.parents[2]), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-c", SWEEP, "sh", project], check=True, env=environment)


def blobs(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("blobs/sha256/*/*/data")}


def test_layers_that_others_have_stay(root: Path) -> None:
    sweep(root)
    assert blobs(root) == {SHARED, FOREIGN}
    assert {path.name for path in root.glob("repositories/shop/*")} == {"api-two"}
    assert not (root / "going").exists()


def test_it_may_be_done_again_after_a_kill_in_the_middle(root: Path) -> None:
    """The repository was set aside, with one of its layers."""
    aside = root / "going/shop/api"
    (aside / "blobs").mkdir(parents=True)
    (root / "repositories/shop/api").rename(aside / "repository-1")
    (root / f"blobs/sha256/{OWN[:2]}/{OWN}").rename(aside / "blobs" / OWN)
    for _ in range(2):
        sweep(root)
    assert blobs(root) == {SHARED, FOREIGN}
    assert not (root / "going").exists()


def test_a_layer_that_is_pushed_meanwhile_is_brought_back(root: Path) -> None:
    """It was set aside, and another project refers to it by now."""
    (root / "going/shop/api/blobs").mkdir(parents=True)
    (root / f"blobs/sha256/{FOREIGN[:2]}/{FOREIGN}").rename(root / "going/shop/api/blobs" / FOREIGN)
    sweep(root)
    assert FOREIGN in blobs(root)


def test_a_registry_that_never_had_anything_is_fine(tmp_path: Path) -> None:
    sweep(tmp_path / "docker/registry/v2")
    sweep(tmp_path / "docker/registry/v2", "none/such")
