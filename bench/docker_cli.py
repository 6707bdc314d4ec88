"""The bare tool: the `docker` command, and taking away what carries the bench's own label."""

import subprocess
import time
from collections.abc import Sequence

LABEL = "cabestan.instance"
_SECONDS = 60


def docker(*arguments: str, text: str | None = None, check: bool = True) -> str:
    """Its standard output. Raises CalledProcessError with its standard error as `stderr`."""
    done = subprocess.run(
        ["docker", *arguments], input=text, capture_output=True, text=True, timeout=_SECONDS, check=check
    )
    return done.stdout


def lines(*arguments: str) -> list[str]:
    """Its output in lines; none where it fails."""
    return docker(*arguments, check=False).split("\n")[:-1]


def remove_services(*filters: str, force: bool = False) -> None:
    """And waits until their containers are gone, so that the next measure begins in peace.

    `force` kills them, which Swarm does not do for those of jobs.
    """
    _remove(["service", "ls", "--quiet", *_filters(filters)], ["service", "rm"])
    if force:
        _remove(["ps", "--all", "--quiet", *_filters(filters)], ["rm", "--force", "--volumes"])
    end = time.monotonic() + 30
    while lines("ps", "--all", "--quiet", *_filters(filters)) and time.monotonic() < end:
        time.sleep(0.2)


def remove_all(instance: str, registry: str) -> None:
    """Everything with the instance's label: services, containers, networks, secrets, volumes; and its images' tags."""
    label = f"label={LABEL}={instance}"
    remove_services(label, force=True)
    for _ in range(20):
        _remove(["network", "ls", "--quiet", "--filter", label], ["network", "rm"])
        if not lines("network", "ls", "--quiet", "--filter", label):
            break
        time.sleep(1)
    _remove(["secret", "ls", "--quiet", "--filter", label], ["secret", "rm"])
    _remove(["volume", "ls", "--quiet", "--filter", label], ["volume", "rm"])
    docker("volume", "rm", f"{instance}-registry", check=False)
    _remove_tags(registry)


def _remove_tags(registry: str) -> None:
    shown = lines("image", "ls", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}")
    for repository, tag, digest in (line.split() for line in shown):
        if repository.startswith(f"{registry}/"):
            for reference in (f"{repository}:{tag}", f"{repository}@{digest}"):
                if "<none>" not in reference:
                    docker("image", "rm", reference, check=False)


def _remove(listing: Sequence[str], removing: Sequence[str]) -> None:
    if found := lines(*listing):
        docker(*removing, *found, check=False)


def _filters(filters: Sequence[str]) -> list[str]:
    return [word for one in filters for word in ("--filter", one)]
