"""The images that a Compose file uses, as they are written."""

import pytest

from cabestan.compose.findings import ComposeRefused
from cabestan.compose.used_images import used_images


def test_each_image_is_given_once_as_it_is_written() -> None:
    text = "services:\n  a: &a\n    image: $X/app:${Y}\n  b:\n    <<: *a\n  c: {image: redis}\n  d: {build: .}\n"
    assert used_images(text, "docker-compose.yml") == ("$X/app:${Y}", "redis")


@pytest.mark.parametrize("text", ["", "[]", "services: []", "services: {a: }", "services: {a: {image: []}}", "a: b"])
def test_what_is_malformed_is_left_out(text: str) -> None:
    assert used_images(text, "docker-compose.yml") == ()


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(ComposeRefused):
        used_images("services: [", "docker-compose.yml")
