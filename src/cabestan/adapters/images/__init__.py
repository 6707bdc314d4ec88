"""The base images: which there are, which are missing, and making those from Debian's packages.

images = ImageCatalogue(Engine("unix:///var/run/docker.sock"), Path("images"), None)
images.ensure(["node"], print)
"""

from cabestan.adapters.images.builder import BuildEvent, ImageBuilder
from cabestan.adapters.images.catalogue import CatalogueEntry, ImageCatalogue, ImageState
from cabestan.adapters.images.recipes import ImageRecipe, catalogue, dockerfiles, missing, wanted

__all__ = [
    "BuildEvent",
    "CatalogueEntry",
    "ImageBuilder",
    "ImageCatalogue",
    "ImageRecipe",
    "ImageState",
    "catalogue",
    "dockerfiles",
    "missing",
    "wanted",
]
