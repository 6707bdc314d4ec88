"""The base images: which there are, which are missing, and making those from Debian's packages.

recipes = catalogue(Path("images"))
ImageBuilder(docker.from_env(), recipes=recipes, report=print).ensure()
"""

from cabestan.adapters.images.builder import BuildEvent, ImageBuilder
from cabestan.adapters.images.recipes import ImageRecipe, catalogue, missing, wanted

__all__ = ["BuildEvent", "ImageBuilder", "ImageRecipe", "catalogue", "missing", "wanted"]
