"""Layers that the registries of many tests get are compressed once for all of them: each engine takes seconds for it.

A registry is handed the files of an earlier one. The engine learns that they are there by pulling an image of these
layers: from then on it has the registry mount them, as after any earlier push to it.
"""

import fcntl
import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

from cabestan.adapters.registry_login import RegistryLogin

_LABEL = "shared-by-tests"


@contextmanager
def one_at_a_time(folder: Path, what: str) -> Iterator[None]:
    """Of all workers whose run has this folder."""
    with (folder / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def share(folder: Path, client: docker.DockerClient, login: RegistryLogin, volume: str, image: str) -> None:
    """Has the registry hold the layers of a base image. The folder is that of the whole run, for all its workers.

    `volume` is the name of the volume with the registry's data.
    """
    kept = folder / "layers" / image.replace(":", "-")
    # where the platform itself puts it, for no token has rights in two repositories
    name = f"{login.address}/cabestan/{image.partition(':')[0]}:{_LABEL}"
    data = Path(client.volumes.get(volume).attrs["Mountpoint"])
    with one_at_a_time(folder, "layers"):
        if kept.exists():
            _copy(kept, data)
            client.images.pull(name, auth_config=login.of(name))
        else:
            _push(client, login, name, image)
            kept.mkdir(parents=True)
            _copy(data, kept)
        # where the engine has the image already, the next pull of it is none
        client.images.remove(name)


def _push(client: docker.DockerClient, login: RegistryLogin, name: str, image: str) -> None:
    client.images.build(fileobj=io.BytesIO(f"FROM cabestan/{image}\nLABEL of={_LABEL}\n".encode()), tag=name, rm=True)
    answers = list(client.images.push(name, stream=True, decode=True, auth_config=login.of(name, "pull", "push")))
    assert not any("error" in answer for answer in answers), answers


def _copy(source: Path, target: Path) -> None:
    """With owners, and what is there already stays."""
    subprocess.run(["cp", "--archive", "--no-clobber", f"{source}/.", str(target)], check=True)
