"""The volumes of a stack: which there are, packing one before it goes, and taking it away."""

import time
from collections.abc import Callable
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import Mount

from cabestan.adapters.engine_api import Engine
from cabestan.domain.labels import INSTANCE_LABEL, STACK_LABEL, VOLUME_LABEL
from cabestan.errors import DeadlineExceeded, StepFailed

_LOOK_SECONDS = 0.3
_LEAVE_SECONDS = 120
#: where it is in the container that it is packed through, and so the first part of all names in the archive
FOLDER = "volume"


class VolumeArchives:
    """All methods may be called again after a crash at any point."""

    def __init__(self, engine: Engine, instance: str, router: str) -> None:
        """`router` is a container that is there: one that packs a volume never runs, but has to be of some image."""
        self._engine = engine
        self._instance = instance
        self._router = router

    def of_stack(self, stack: str) -> dict[str, str]:
        """Each volume's name, with the one that the Compose file calls it by."""
        labels = [f"{INSTANCE_LABEL}={self._instance}", f"{STACK_LABEL}={stack}"]
        with self._engine.speaking("look at the volumes of an environment") as client:
            found = client.api.volumes(filters={"label": labels})["Volumes"] or []
        return {
            one["Name"]: (one["Labels"] or {}).get(VOLUME_LABEL) or one["Name"].removeprefix(f"{stack}_")
            for one in sorted(found, key=lambda one: str(one["Name"]))
        }

    def in_use(self, name: str) -> bool:
        """Whether a container runs that has it."""
        with self._engine.speaking(f"look who has the volume {name}") as client:
            return bool(client.api.containers(filters={"volume": name, "status": "running"}))

    def wait_until_free(self, name: str) -> None:
        """Until no container writes to it any more: those of services that were removed take their time to end."""
        deadline = time.monotonic() + _LEAVE_SECONDS
        while self.in_use(name):
            if time.monotonic() > deadline:
                raise DeadlineExceeded(
                    f"A container still has the volume {name}.", f"`docker ps --filter volume={name}` shows it."
                )
            time.sleep(_LOOK_SECONDS)

    def pack(self, name: str, write: Callable[[bytes], object], seconds: float) -> None:
        """Hands its files over as a tar, piece by piece, through a container that never runs."""
        deadline, door = time.monotonic() + seconds, f"{name}-packed"
        with self._engine.speaking(f"pack the volume {name}") as client:
            _remove(client, door)
            image = client.api.inspect_container(self._router)["Image"]
            mount = Mount(f"/{FOLDER}", name, no_copy=True, read_only=True)
            host = client.api.create_host_config(mounts=[mount])
            labels = {INSTANCE_LABEL: self._instance}
            made = client.api.create_container(image, ["none"], name=door, labels=labels, host_config=host)["Id"]
            try:
                pieces, _ = client.api.get_archive(made, f"/{FOLDER}")
                for piece in pieces:
                    write(piece)
                    if time.monotonic() > deadline:
                        raise DeadlineExceeded(
                            f"Packing the volume {name} took longer than {seconds:.0f} s.", "Raise backup_seconds."
                        )
            finally:
                _remove(client, door)

    def remove(self, name: str) -> None:
        """Waits for containers that are leaving; those that have ended and are ours go with it."""
        deadline = time.monotonic() + _LEAVE_SECONDS
        while True:
            with self._engine.speaking(f"remove the volume {name}") as client:
                try:
                    client.api.remove_volume(name)
                except NotFound:
                    return
                except APIError as error:
                    if error.status_code != 409:
                        raise
                    if time.monotonic() > deadline:
                        raise StepFailed(
                            f"The volume {name} is still in use.",
                            f"`docker ps -a --filter volume={name}` shows by what.",
                        ) from error
                    self._remove_ended(client, name)
                else:
                    return
            time.sleep(_LOOK_SECONDS)

    def _remove_ended(self, client: Any, name: str) -> None:
        ended = {"label": f"{INSTANCE_LABEL}={self._instance}", "volume": name, "status": ["created", "exited", "dead"]}
        for container in client.api.containers(all=True, filters=ended):
            _remove(client, container["Id"])


def _remove(client: Any, container: str) -> None:
    try:
        client.api.remove_container(container, force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # its removal is under way
            raise
