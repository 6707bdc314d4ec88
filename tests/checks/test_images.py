from __future__ import annotations

import pytest

from cabestan.checks.images import check_dockerfile, check_image
from cabestan.compose.findings import NOTHING_WAIVED
from cabestan.domain.image import ImageConfiguration


def by_text(text: str) -> list[tuple[str, int]]:
    return [(f.code, f.line) for f in check_dockerfile("Dockerfile", text, NOTHING_WAIVED)]


def by_image(text: str, user: str, *volumes: str) -> list[tuple[str, int, str]]:
    configuration = ImageConfiguration(user, volumes)
    found = check_image("Dockerfile", text, "shop/api", configuration, NOTHING_WAIVED)
    return [(f.code, f.line, f.message) for f in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nUSER 1001\n", []),
        ("FROM a\nUSER root\n", [("image-root", 2)]),
        ("FROM a\nUSER 0:0\n", [("image-root", 2)]),
        ("FROM a\nUSER root\nRUN x\nUSER app\n", []),
        ("FROM a\nUSER ${user}\n", []),
        ("FROM a\n", []),
        ("FROM a AS build\nUSER root\nVOLUME /x\nFROM b\nUSER 1\n", []),
        ("FROM a AS build\nUSER root\nFROM build\n", [("image-root", 2)]),
        ("FROM a\nVOLUME [\"/a\"]\nUSER 1\n", [("image-volume", 2)]),
        ("FROM a\nRUN <<EOF\nUSER root\nVOLUME /x\nEOF\nUSER 1\n", []),
        ("FROM a\nRUN x \\\n  # USER root\n  USER root\nUSER 1\n", []),
        ("# escape=`\nFROM a\nRUN x `\nUSER root\nUSER 1\n", []),
    ],
)  # fmt: skip
def test_a_dockerfile_tells_what_it_can(text: str, expected: list[tuple[str, int]]) -> None:
    assert by_text(text) == expected


def test_a_built_image_tells_the_rest_at_the_line_that_made_it_so() -> None:
    assert by_image("FROM a\nUSER app\n", "0", "/data") == [
        ("image-volume", 1, "The image shop/api declares the volume /data."),
        ("image-root", 2, "The image shop/api runs as 0."),
    ]
    assert by_image("# hello\nFROM a\nCOPY a b\n", "") == [
        ("image-root", 2, "The image shop/api names no user, so it runs as root.")
    ]
    assert by_image("FROM a\nUSER 1001\n", "1001") == []
