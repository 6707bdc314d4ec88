"""The catalogue on an engine: what is there of it, and making what is wanted and is not."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.images.builder import BuildEvent, ImageBuilder
from cabestan.adapters.images.recipes import ImageRecipe, catalogue, dockerfiles, wanted
from cabestan.domain.labels import RECIPE_LABEL
from cabestan.errors import StepFailed


class ImageState(StrEnum):
    """What the engine has of a recipe."""

    #: built from the recipe as it is
    BUILT = "built"
    #: built from an earlier recipe; built anew when it is next needed
    OUTDATED = "outdated"
    #: built when it is first needed
    MISSING = "missing"


@dataclass(frozen=True)
class CatalogueEntry:
    """One image. `size` in bytes, 0 where the engine does not have it."""

    name: str
    reference: str
    base: str
    state: ImageState
    size: int


class ImageCatalogue:
    """Read anew with each call, so that a changed recipe counts at once. Names are those of recipes or references."""

    def __init__(self, engine: Engine, folder: Path, ca_bundle: Path | None) -> None:
        self._engine = engine
        self._folder = folder
        self._ca_bundle = ca_bundle

    def references(self) -> tuple[str, ...]:
        """All that can be made, each after its base. Raises Invalid where a recipe is malformed."""
        return tuple(recipe.reference for recipe in catalogue(self._folder))

    def dockerfiles(self) -> dict[str, str]:
        """Reference to the Dockerfile's text; empty for the image that all others begin with."""
        return dockerfiles(catalogue(self._folder))

    def lacking(self, names: Iterable[str]) -> tuple[str, ...]:
        """References of what `ensure` would build for these."""
        recipes = catalogue(self._folder)
        with self._engine.speaking("look for base images") as client:
            builder = ImageBuilder(client, recipes=recipes, report=lambda _event: None)
            return _references(builder.lacking(_recipe_names(recipes, names)))

    def identity(self, reference: str) -> str:
        """The id of the image on the engine. Raises StepFailed where it is not there."""
        with self._engine.speaking(f"look for {reference}") as client:
            try:
                return str(client.images.get(reference).id)
            except ImageNotFound as error:
                remedy = "`cabestan image build` makes it."
                raise StepFailed(f"The image {reference} is not on this engine.", remedy) from error

    def ensure(self, names: Iterable[str] | None, report: Callable[[BuildEvent], None]) -> tuple[str, ...]:
        """Builds what the engine lacks of these (None: of all) and of their bases; gives what was built.

        Raises StepFailed, DeadlineExceeded and EngineUnavailable; NotFound for a name that no recipe has.
        """
        recipes = catalogue(self._folder)
        chosen = None if names is None else _recipe_names(recipes, names)
        with self._engine.speaking("build the base images") as client:
            builder = ImageBuilder(client, recipes=recipes, report=report, ca_bundle=self._ca_bundle)
            return _references(builder.ensure(chosen))

    def entries(self) -> tuple[CatalogueEntry, ...]:
        """What there is of each."""
        with self._engine.speaking("look at the base images") as client:
            return tuple(_entry(client, recipe) for recipe in catalogue(self._folder))


def _references(recipes: Iterable[ImageRecipe]) -> tuple[str, ...]:
    return tuple(recipe.reference for recipe in recipes)


def _recipe_names(recipes: tuple[ImageRecipe, ...], names: Iterable[str]) -> tuple[str, ...]:
    by_reference = {recipe.reference: recipe.name for recipe in recipes}
    chosen = tuple(by_reference.get(name, name) for name in names)
    wanted(recipes, chosen)
    return chosen


def _entry(client: Any, recipe: ImageRecipe) -> CatalogueEntry:
    try:
        image = client.images.get(recipe.reference)
    except ImageNotFound:
        return CatalogueEntry(recipe.name, recipe.reference, recipe.base or "", ImageState.MISSING, 0)
    same = image.labels.get(RECIPE_LABEL) == recipe.recipe
    state = ImageState.BUILT if same else ImageState.OUTDATED
    return CatalogueEntry(recipe.name, recipe.reference, recipe.base or "", state, int(image.attrs["Size"]))
