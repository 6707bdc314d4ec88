"""References as they are stored, and as each place has them."""

import pytest

from cabestan.domain.deployment import Plan, Step, StepKind
from cabestan.domain.references import found_at, in_names, in_plan, in_stack, moved, stored

HERE, THERE = "127.0.0.1:5600", "registry.example.org"
DIGEST = f"@sha256:{'a' * 64}"
STACK = f"""\
version: "3.8"
services:
  app:
    image: "{HERE}/shop/api{DIGEST}"
    environment:
      image: "{HERE}/shop/api{DIGEST}"
      TEXT: "one\\n    image: {HERE}/shop/api{DIGEST}\\n"
  image:
    image: docker.io/library/redis{DIGEST}
x-cabestan:
  images:
    app: "{HERE}/shop/api:1"
    image: "{HERE}/shop/api:1"
  once:
    migrate:
      image: "{HERE}/shop/api{DIGEST}"
      environment:
        image: "{HERE}/x"
"""


@pytest.mark.parametrize(
    ("image", "kept"),
    [
        (f"{HERE}/shop/api{DIGEST}", f"/shop/api{DIGEST}"),
        (f"{HERE}/shop/api:1.2", "/shop/api:1.2"),
        (f"{HERE}0/shop/api:1", f"{HERE}0/shop/api:1"),
        (f"docker.io/shop/api{DIGEST}", f"docker.io/shop/api{DIGEST}"),
        ("debian", "debian"),
        (HERE, HERE),
        ("", ""),
    ],
)
def test_what_is_in_the_registry_is_stored_without_its_address(image: str, kept: str) -> None:
    assert stored(HERE)(image) == kept
    assert found_at(HERE)(kept) == image


def test_another_place_has_another_address() -> None:
    assert moved(HERE, THERE)(f"{HERE}/shop/api:1") == f"{THERE}/shop/api:1"
    assert moved(HERE, THERE)("debian:12") == "debian:12"
    assert in_names(moved(HERE, THERE), {f"{HERE}/a": 1, "b": 2}) == {f"{THERE}/a": 1, "b": 2}


def test_of_a_stack_the_images_of_services_move_and_nothing_else() -> None:
    """No variable, no text, and no name that the Compose file has for an image."""
    changed = in_stack(moved(HERE, THERE), STACK)
    differing = [(a, b) for a, b in zip(STACK.splitlines(), changed.splitlines(), strict=True) if a != b]
    image = f'image: "{HERE}/shop/api{DIGEST}"'
    assert [before for before, _ in differing] == [f"    {image}", f"      {image}"]
    assert all(after == before.replace(HERE, THERE) for before, after in differing)
    assert in_stack(found_at(HERE), in_stack(stored(HERE), STACK)) == STACK


def test_of_a_plan_what_is_pulled_moves_with_the_stack() -> None:
    steps = (
        Step(StepKind.PULL, (f"{HERE}/shop/api{DIGEST}", "debian:12"), 60),
        Step(StepKind.APPLY, (f"{HERE}/no-image",), 60),
    )
    plan = Plan(steps, (), (), STACK, (), (), (), (), (), "")
    kept = in_plan(stored(HERE), plan)
    assert kept.steps[0].subjects == (f"/shop/api{DIGEST}", "debian:12")
    assert kept.steps[1] == plan.steps[1]
    assert kept.stack == in_stack(stored(HERE), STACK)
    assert in_plan(found_at(HERE), kept) == plan
