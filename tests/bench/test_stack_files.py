"""What the measures make of a rendered stack file."""

import pytest
import yaml
from bench.rows.arrival import released
from bench.rows.deploying import monitor, renamed
from bench.rows.start import processor_seconds

DIGEST = "127.0.0.1:5600/shop/api@sha256:" + "ab" * 32
STACK = f"""\
services:
  app:
    image: {DIGEST}
    labels: {{traefik.enable: 'true'}}
    networks: {{default: {{aliases: [app]}}}}
    deploy: {{update_config: {{order: start-first, monitor: 2s}}}}
networks:
  default: {{external: true, name: cabestan-shop-api-staging-net}}
"""


def test_the_bare_tool_gets_the_file_under_another_name_and_without_routes() -> None:
    service = yaml.safe_load(STACK)["services"]["app"] | {"labels": {"traefik.enable": "false"}}
    assert yaml.safe_load(renamed(STACK, "bench1-bare")) == {
        "services": {"app": service},
        "networks": {"default": {"external": True, "name": "bench1-bare-net"}},
    }


def test_both_sides_watch_for_as_long_as_the_file_says() -> None:
    assert monitor(STACK) == 2
    assert monitor(STACK.replace("2s", '"2s"')) == 2
    assert monitor("services: {}") == 5


def test_the_image_of_a_release_is_found_by_its_digest() -> None:
    assert released(STACK) == DIGEST
    assert released(STACK.replace(DIGEST, f'"{DIGEST}"')) == DIGEST
    with pytest.raises(RuntimeError, match="names no image by its digest"):
        released("services: {app: {image: nginx}}")


def test_a_start_that_fails_is_no_figure() -> None:
    assert processor_seconds(("-c", "pass"), {}) > 0
    with pytest.raises(RuntimeError, match="ended with code 3"):
        processor_seconds(("-c", "raise SystemExit(3)"), {})
