from __future__ import annotations

from typing import Any

from cabestan.adapters.volume_sizes import VolumeSize, parse_sizes


def volume(name: str, size: int | None, **labels: str) -> dict[str, Any]:
    usage = None if size is None else {"Size": size, "RefCount": 1}
    known = {f"cabestan.{key}": value for key, value in labels.items()}
    return {"Name": name, "Labels": known, "UsageData": usage}


def test_the_largest_volume_of_ours_comes_first_with_what_people_call_it() -> None:
    place = {"instance": "here", "project": "shop/api", "environment": "production"}
    found = [
        volume("here-registry", 5, instance="here"),
        volume("s_data", 9, **place, volume="data"),
        volume("s-mysql-1", 7, **place, managed="mysql"),
        volume("other", 99, instance="there"),
        volume("uncounted", -1, instance="here"),
        volume("unknown", None, instance="here"),
        {"Name": "nobody's", "Labels": None, "UsageData": {"Size": 50}},
    ]
    assert parse_sizes(found, "here") == (
        VolumeSize("s_data", 9, "shop/api", "production", "data"),
        VolumeSize("s-mysql-1", 7, "shop/api", "production", "mysql"),
        VolumeSize("here-registry", 5, "", "", "here-registry"),
    )
