"""How much disk the volumes of this installation take, as each engine counts it.

It reads all their folders for it, an engine before 23.0 those of images and containers as well: it is asked seldom.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cabestan.adapters.engine_api import Engine
from cabestan.domain.labels import ENVIRONMENT_LABEL, INSTANCE_LABEL, MANAGED_LABEL, PROJECT_LABEL, VOLUME_LABEL

#: folders with millions of files take their time
_SECONDS = 600


@dataclass(frozen=True)
class VolumeSize:
    """`project` and `environment` are empty for what is the platform's own; `title` is what people call it."""

    name: str
    bytes: int
    project: str
    environment: str
    title: str


@dataclass(frozen=True)
class EngineDisk:
    """Where an engine keeps its volumes, a folder of its machine, and the largest first."""

    folder: str
    volumes: tuple[VolumeSize, ...]


def disk_of(engine: Engine, instance: str) -> EngineDisk:
    """Raises EngineUnavailable, and StepFailed for an engine that would not."""
    with engine.speaking("count what its volumes take") as client:
        api = client.api
        folder = str(api.info()["DockerRootDir"])
        url = f"{api.base_url}/v{api.api_version}/system/df"
        answer = api.get(url, params={"type": "volume"}, timeout=_SECONDS)
        api._raise_for_status(answer)
        return EngineDisk(folder, parse_sizes(answer.json().get("Volumes") or (), instance))


def parse_sizes(volumes: Iterable[Mapping[str, Any]], instance: str) -> tuple[VolumeSize, ...]:
    """Of an engine's answer; of volumes of others, and of those that it could not count, nothing."""
    found = (_size(one) for one in volumes if (one.get("Labels") or {}).get(INSTANCE_LABEL) == instance)
    return tuple(sorted((one for one in found if one.bytes >= 0), key=lambda one: (-one.bytes, one.name)))


def _size(volume: Mapping[str, Any]) -> VolumeSize:
    labels, name = volume["Labels"], volume["Name"]
    title = labels.get(VOLUME_LABEL) or labels.get(MANAGED_LABEL) or name
    size = int((volume.get("UsageData") or {}).get("Size", -1))
    return VolumeSize(name, size, labels.get(PROJECT_LABEL, ""), labels.get(ENVIRONMENT_LABEL, ""), title)
