"""The images of managed services: built when they are first needed, and pinned by digest."""

from collections.abc import Callable

from cabestan.adapters.images import BuildEvent, ImageRecipe, catalogue
from cabestan.config import Settings
from cabestan.domain.managed import Kind
from cabestan.engine import base_images
from cabestan.engine.services import Services
from cabestan.errors import Invalid, StepFailed

#: kind → folder of its recipe
RECIPES = {Kind.MYSQL: "mariadb", Kind.POSTGRESQL: "postgresql", Kind.REDIS: "redis"}


def next_version(settings: Settings, kind: Kind) -> str:
    """The version that a new instance gets: the tag of the image."""
    return _tag(settings.mongodb_image if kind is Kind.MONGODB else _recipe(settings, kind).reference)


def pinned(services: Services, kind: Kind, tell: Callable[[str], None]) -> tuple[str, str]:
    """The image by digest, and its version. Builds it where this engine does not have it, which takes a while."""
    settings = services.settings
    if kind is Kind.MONGODB:
        reference = settings.mongodb_image
    else:
        reference = _recipe(settings, kind).reference
        _build(services, RECIPES[kind], tell)
    return pin(services, reference), _tag(reference)


def pin(services: Services, reference: str) -> str:
    """By digest, in the registry, so that every node can have it."""
    if "@sha256:" in reference:
        return reference
    return services.home.stacks.pin(reference, services.settings.pull_seconds)


def upgrade_image(services: Services, kind: Kind, version: str, tell: Callable[[str], None]) -> tuple[str, str]:
    """Of another version than an instance has: the catalogue's, or one that this engine has under the same name."""
    if not version or version == next_version(services.settings, kind):
        return pinned(services, kind, tell)
    if kind is Kind.MONGODB:
        raise Invalid(f"There is no image of MongoDB {version}.", "Set mongodb_image to it.")
    name = _recipe(services.settings, kind).reference.rpartition(":")[0]
    try:
        return pin(services, f"{name}:{version}"), version
    except StepFailed as error:
        ours = next_version(services.settings, kind)
        remedy = f"Choose {ours}, which comes along, or bring an image {name}:{version}."
        raise Invalid(f"There is no image of {kind.product} {version}: {error.message}", remedy) from error


def _build(services: Services, name: str, tell: Callable[[str], None]) -> None:
    def report(event: BuildEvent) -> None:
        tell(f"building the image {event.image}, {event.seconds:.0f} s: {event.text.strip()[:80]}")

    if built := services.images.ensure((name,), report):
        base_images.remember(services.database, built)


def _recipe(settings: Settings, kind: Kind) -> ImageRecipe:
    return next(recipe for recipe in catalogue(settings.images) if recipe.name == RECIPES[kind])


def _tag(reference: str) -> str:
    last = reference.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2] or "latest"
