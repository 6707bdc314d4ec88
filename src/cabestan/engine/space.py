"""Space on the disk, checked before work begins that needs it."""

import shutil

from cabestan.config import Settings
from cabestan.errors import StepFailed


def check(settings: Settings) -> None:
    """Raises StepFailed when less is free than `free_bytes` asks for."""
    free = shutil.disk_usage(settings.data).free
    if free < settings.free_bytes:
        raise StepFailed(
            f"{settings.data} has {free // 2**20} MiB free, {settings.free_bytes // 2**20} MiB must be.",
            "Make room (old images: `docker image ls`), or lower free_bytes; then retry.",
        )
