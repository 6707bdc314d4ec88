"""The catalogue of base images that comes with this version, for `lint` and `render` where no server tells its own."""

from __future__ import annotations

from cabestan.adapters.images import catalogue, dockerfiles
from cabestan.config import IMAGES
from cabestan.pipeline.base_images import BaseImages


def base_images() -> BaseImages:
    """None where Cabestan was installed without them."""
    texts = dockerfiles(catalogue(IMAGES)) if IMAGES.is_dir() else {}
    return BaseImages(tuple(texts), dockerfiles=texts)
