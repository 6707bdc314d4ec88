"""Which ports an image will declare, told by Dockerfiles."""

from __future__ import annotations

import pytest

from cabestan.pipeline.base_images import BaseImages
from cabestan.pipeline.ports import Ports, catalogue_ports, declared_ports

CATALOGUE = BaseImages(
    ("cabestan/debian:12", "cabestan/base:12", "cabestan/nginx:1.22"),
    ("acme",),
    {
        "cabestan/debian:12": "",
        "cabestan/base:12": "FROM cabestan/debian:12\n",
        "cabestan/nginx:1.22": "FROM cabestan/base:12\nEXPOSE 8000\n",
    },
)


def _base(written: str) -> Ports:
    return {"web:1": (80, 443), "plain:1": ()}.get(written)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("FROM plain:1\nEXPOSE 8000\n", (8000,)),
        ("FROM plain:1\nEXPOSE 9000/tcp 53/udp 8000-8002/TCP\n", (8000, 8001, 8002, 9000)),
        ("FROM plain:1\nexpose 8000 \\\n 80\n", (80, 8000)),
        ("FROM plain:1\n", ()),
        ("FROM plain:1\nEXPOSE 53/udp\n", ()),
        ("FROM scratch\n", ()),
        ("FROM web:1\n", (80, 443)),
        ("FROM --platform=linux/amd64 web:1 AS last\nEXPOSE 22\n", (22, 80, 443)),
        ("FROM unknown\n", None),
        ("FROM unknown\nEXPOSE 8000\n", (8000,)),
        ("FROM plain:1\nEXPOSE $PORT\n", None),
        ("FROM plain:1\nEXPOSE 80 ${PORT:-81}\n", None),
        ("FROM web:1 AS build\nEXPOSE 1\nFROM plain:1\nEXPOSE 2\n", (2,)),
        ("FROM web:1 AS first\nEXPOSE 1\nFROM plain:1 AS other\nFROM first\nEXPOSE 2\n", (1, 2, 80, 443)),
        ("ARG A=1\nFROM web:1\n", (80, 443)),
        ("# EXPOSE 1\nFROM plain:1\nRUN <<X\nEXPOSE 2\nX\n", ()),
    ],
)
def test_the_last_stage_and_what_it_stands_on_tell_the_ports(text: str, ports: Ports) -> None:
    assert declared_ports(text, _base) == ports


@pytest.mark.parametrize(
    ("written", "dockerfile", "ports"),
    [
        ("cabestan/nginx:1.22", "", (8000,)),
        ("acme/nginx", "", (8000,)),
        ("cabestan/base", "", ()),
        ("cabestan/debian:12", "", ()),
        ("acme/nginx:${V}", "ARG V=1\nFROM acme/nginx:${V}\n", (8000,)),
        ("cabestan/cobol", "", None),
        ("nginx:1", "", None),
        ("acme/cobol", "", None),
    ],
)
def test_of_the_platforms_own_images_the_ports_are_known(written: str, dockerfile: str, ports: Ports) -> None:
    assert catalogue_ports(CATALOGUE, written, dockerfile) == ports


def test_ranges_that_overlap_are_counted_once() -> None:
    """One by one these took minutes."""
    ranges = " ".join(f"{first}-{65_535 - first}" for first in range(1, 20_000))
    assert declared_ports(f"FROM plain:1\nEXPOSE {ranges} 5-70000 9-3\n", _base) == tuple(range(1, 65_536))
