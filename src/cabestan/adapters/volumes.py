"""Volumes of an application: made before anything uses them, and of the account that images run as.

Docker gives a new volume to root, or to the owner of the folder that an image has at its place. Here root's become
1001's. No process runs for it: a container that is made and never started has Docker copy what the image has, and is
the door through which the owner is read and written.

A second, empty volume beside the new one says that it is not done yet. It is made first and goes last, so that a kill
in between is seen in the list of volumes, at which a look is all that is done where nothing is new.
"""

import io
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import requests
from docker import DockerClient
from docker.errors import NotFound, create_api_error_from_http_exception
from docker.types import Mount

from cabestan.compose.volumes import Place, StackVolume
from cabestan.errors import StepFailed

#: the account that the specification of factory projects promises volumes to
ACCOUNT = 1001
_ROOT = 0
#: the volume once more in the container, below a name that nobody can foresee and put something in the way of
_DOOR = "cabestan-volume-"
_SECONDS = 60


def unready(client: DockerClient, stack: str, volumes: Iterable[StackVolume]) -> tuple[StackVolume, ...]:
    """Those that are not there, and those that somebody began to make and did not end."""
    there = {found["Name"] for found in client.api.volumes(filters={"name": stack})["Volumes"] or ()}
    return tuple(v for v in volumes if v.name not in there or _mark(stack, v) in there)


def make(client: DockerClient, stack: str, labels: Mapping[str, str], volume: StackVolume) -> None:
    """With what the images have at its places, and never root's. `labels` are what Docker would add to its own."""
    mark = _mark(stack, volume)
    client.api.create_volume(mark, labels=labels)
    client.api.create_volume(volume.name, labels={**volume.labels, **labels})
    door = _DOOR + secrets.token_hex(8)
    tops = []
    for place in volume.places:
        with _mounted(client, mark, labels, volume.name, place, door) as container:
            tops.append(_top(client, container, door))
    if tops[-1].uid == _ROOT:
        with _mounted(client, mark, labels, volume.name, replace(volume.places[0], copies=False), door) as container:
            client.api.put_archive(container, "/", _given(tops, door))
    client.api.remove_volume(mark)


def _mark(stack: str, volume: StackVolume) -> str:
    """No volume of an application is called so: what stands before the first `_` is a stack's name."""
    return f"{stack}-new_{volume.key}"


@contextmanager
def _mounted(
    client: DockerClient, name: str, labels: Mapping[str, str], volume: str, place: Place, door: str
) -> Iterator[str]:
    """A container that never runs, with the volume at its place and at the door; an earlier one goes first."""
    _remove(client, name)
    mounts = [Mount(f"/{door}", volume, no_copy=True), Mount(place.target, volume, no_copy=not place.copies)]
    host = client.api.create_host_config(mounts=mounts)
    try:
        yield client.api.create_container(place.image, ["none"], name=name, labels=labels, host_config=host)["Id"]
    finally:
        _remove(client, name)


def _remove(client: DockerClient, name: str) -> None:
    with suppress(NotFound):
        client.api.remove_container(name, force=True, v=True)


def _top(client: DockerClient, container: str, door: str) -> tarfile.TarInfo:
    """The volume's top folder as the engine packs it: the first entry, of which there is no need to read on."""
    url = f"{client.api.base_url}/v{client.api.api_version}/containers/{container}/archive"
    plain = {"Accept-Encoding": "identity"}
    with client.api.get(url, params={"path": f"/{door}"}, headers=plain, stream=True, timeout=_SECONDS) as answer:
        if not answer.ok:
            raise create_api_error_from_http_exception(requests.HTTPError(answer.reason, response=answer))
        with tarfile.open(fileobj=answer.raw, mode="r|") as packed:
            top = packed.next()
    if not top or not top.isdir():
        raise StepFailed("The engine does not show the volume's folder.", "Deploy again; it is made anew.")
    return top


def _given(tops: Sequence[tarfile.TarInfo], door: str) -> bytes:
    """The folder as it is, packed, but for its owner: the one that an image wants, else the account of images."""
    wanted = next(((top.uid, top.gid) for top in tops if top.uid != _ROOT), (ACCOUNT, ACCOUNT))
    folder = tarfile.TarInfo(door)
    folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, tops[-1].mode, tops[-1].mtime
    folder.uid, folder.gid = wanted
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(folder)
    return packed.getvalue()
