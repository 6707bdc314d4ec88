"""What the engine gets to build one image: the recipe's folder as a tar, with what is added at build time."""

import io
import tarfile
from importlib import metadata
from pathlib import Path
from typing import IO

from cabestan.adapters.images.recipes import DOCKERFILE, WHEELS, ImageRecipe
from cabestan.errors import NotFound

#: where `install-packages` looks for a bundle, and removes it from
EXTRA_CA = "extra-ca.crt"


def write_context(recipe: ImageRecipe, target: IO[bytes], ca_bundle: Path | None) -> None:
    """Write the build context to `target`. Files belong to root, whoever checked them out."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(recipe.folder.rglob("*")):
            if path.name != DOCKERFILE:
                tar.add(path, str(path.relative_to(recipe.folder)), recursive=False, filter=_as_root)
        _add_text(tar, DOCKERFILE, _dockerfile(recipe, ca_bundle))
        if ca_bundle:
            _add_text(tar, EXTRA_CA, ca_bundle.read_text())
        if wheel := WHEELS.get(recipe.name):
            program = wheel_program(wheel)
            tar.add(program, program.name, filter=_as_root)


def with_extra_ca(dockerfile: str) -> str:
    """Put the bundle where `install-packages` takes it from, which removes it: no image keeps trusting it."""
    if "install-packages" not in dockerfile:
        return dockerfile
    head, sep, rest = dockerfile.partition("\nRUN ")
    return f"{head}\nCOPY {EXTRA_CA} /tmp/{EXTRA_CA}{sep}{rest}"


def wheel_program(wheel: str) -> Path:
    """The one program that an installed wheel brings."""
    for file in metadata.files(wheel) or ():
        if file.parent.name == "bin":
            return Path(str(file.locate())).resolve()
    raise NotFound(f"The Python package {wheel} has no program.", "Set up the Python environment again.")


def _dockerfile(recipe: ImageRecipe, ca_bundle: Path | None) -> str:
    text = (recipe.folder / DOCKERFILE).read_text()
    return with_extra_ca(text) if ca_bundle else text


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Times are dropped with the owner: the engine's build cache then holds across checkouts."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 0
    return entry
