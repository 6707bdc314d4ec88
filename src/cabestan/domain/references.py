"""References of images in the platform's own registry, which has another address from each place.

Stored, they have none: `/shop/api@sha256:…`, as no reference of another registry begins. Each place puts the address
before them at which it finds the registry.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from cabestan.domain.deployment import Plan, StepKind
from cabestan.domain.pipeline import BuildJob, JobSpec

#: a reference as another place has it
Form = Callable[[str], str]
_T = TypeVar("_T")
_SERVICE_IMAGE = re.compile(r'^(    image: "?)([^\s"]+)("?)$', re.MULTILINE)
#: of services that end, which stand deeper in what only Cabestan reads
_ENDING_IMAGE = re.compile(r'^(      image: "?)([^\s"]+)("?)$', re.MULTILINE)
_EXTENSION = "\nx-cabestan:\n"


def stored(registry: str) -> Form:
    """Of references at an address, without it; all others stay."""
    return lambda image: image.removeprefix(registry) if image.startswith(f"{registry}/") else image


def found_at(registry: str) -> Form:
    """Of stored references, those at an address; all others stay."""
    return lambda image: f"{registry}{image}" if image.startswith("/") else image


def moved(before: str, after: str) -> Form:
    """Of references at one address, those at another."""
    return lambda image: found_at(after)(stored(before)(image))


def as_it_is(image: str) -> str:
    """Where nothing has another address."""
    return image


def in_names(form: Form, images: Mapping[str, _T]) -> dict[str, _T]:
    """Of what is kept by references."""
    return {form(image): value for image, value in images.items()}


def in_images(form: Form, images: Mapping[str, str]) -> dict[str, str]:
    """Of references and the ones that they stand for."""
    return {form(image): form(meant) for image, meant in images.items()}


def in_spec(form: Form, spec: JobSpec) -> JobSpec:
    """Of what a build begins with."""
    if not isinstance(spec, BuildJob):
        return spec
    return replace(spec, bases=tuple(replace(base, meant=form(base.meant)) for base in spec.bases))


def in_plan(form: Form, plan: Plan) -> Plan:
    """Of the images that are pulled, and of those in the stack."""
    steps = tuple(
        replace(step, subjects=tuple(map(form, step.subjects))) if step.kind is StepKind.PULL else step
        for step in plan.steps
    )
    return replace(plan, steps=steps, stack=in_stack(form, plan.stack))


def in_stack(form: Form, text: str) -> str:
    """Of the services of a rendered file, by their place in it: in no other has a key this indentation."""
    head, found, rest = text.partition(_EXTENSION)

    def other(match: re.Match[str]) -> str:
        return f"{match[1]}{form(match[2])}{match[3]}"

    return _SERVICE_IMAGE.sub(other, head) + found + _ENDING_IMAGE.sub(other, rest)
