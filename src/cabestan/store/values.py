"""JSON text to and from the domain's frozen values."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cabestan.domain.deployment import Plan, PlannedChange, Step, StepKind
from cabestan.domain.pipeline import Base, ImageBuild, JobKind, JobSpec
from cabestan.domain.route import Probe


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def load_list(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def load_map(text: str) -> Mapping[str, str]:
    loaded: dict[str, str] = json.loads(text)
    return loaded


def load_ports(text: str) -> Mapping[str, tuple[int, ...]]:
    return {image: tuple(ports) for image, ports in json.loads(text).items()}


def dump_spec(spec: JobSpec) -> str:
    return dump(asdict(spec))


def load_spec(text: str) -> JobSpec:
    raw = json.loads(text)
    build = raw["build"]
    # of versions that built with the host's own engine
    raw.setdefault("builder", raw.pop("engine_socket", False))
    return JobSpec(
        **raw
        | {
            "kind": JobKind(raw["kind"]),
            "needs": tuple(raw["needs"]),
            "environment": tuple((name, value) for name, value in raw["environment"]),
            "build": _build(build) if build else None,
            "base_images": tuple(raw.get("base_images", ())),
            "bases": tuple(Base(**base) for base in raw.get("bases", ())),
        }
    )


def _build(raw: dict[str, Any]) -> ImageBuild:
    args = tuple((name, value) for name, value in raw.get("args", ()))
    return ImageBuild(**raw | {"tags": tuple(raw["tags"]), "args": args})


def dump_plan(plan: Plan) -> str:
    return dump(asdict(plan))


def load_plan(text: str) -> Plan:
    raw = json.loads(text)
    lists = {name: tuple(raw[name]) for name in ("warnings", "hosts", "services", "secrets")}
    return Plan(
        **raw
        | lists
        | {
            "steps": tuple(_load_step(step) for step in raw["steps"]),
            "changes": tuple(PlannedChange(**change) for change in raw["changes"]),
            "probes": tuple(_load_probe(probe) for probe in raw["probes"]),
            "compose_files": tuple(raw.get("compose_files", ())),
            "versions": tuple((name, version) for name, version in raw["versions"]),
        }
    )


def _load_probe(raw: Mapping[str, Any] | list[str]) -> Probe:
    """Plans of old had host and path alone, or no marks."""
    if isinstance(raw, list):
        return Probe(raw[0], raw[1])
    headers = tuple((name, value) for name, value in raw["headers"])
    return Probe(raw["host"], raw["path"], raw["method"], headers, tuple(raw.get("marks", ())))


def _load_step(raw: Mapping[str, Any]) -> Step:
    return Step(StepKind(raw["kind"]), tuple(raw["subjects"]), raw["deadline_seconds"])
