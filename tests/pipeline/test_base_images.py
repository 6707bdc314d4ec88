"""Which image of the catalogue a written reference means."""

from __future__ import annotations

import re

import pytest
from tests.samples import COMMIT

from cabestan.domain.pipeline import Base
from cabestan.errors import Invalid
from cabestan.pipeline.base_images import BaseImages
from cabestan.pipeline.convention import Source, blueprint

CATALOGUE = BaseImages(("cabestan/node:18", "cabestan/node:9", "cabestan/python:3.11"), ("acme",))


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("cabestan/node:18", "cabestan/node:18"),
        ("cabestan/node:9", "cabestan/node:9"),
        ("cabestan/node", "cabestan/node:18"),
        ("cabestan/node:latest", "cabestan/node:18"),
        ("cabestan/python:3", "cabestan/python:3.11"),
        ("acme/python:3", "cabestan/python:3.11"),
        ("acme/python:2", None),
        ("acme/ruby", None),
        ("debian:12", None),
        ("other/node:18", None),
        ("127.0.0.1:5600/cabestan/node:18", None),
        ("${BASE}", None),
    ],
)
def test_a_reference_means_the_catalogue_s_newest_that_fits(written: str, means: str | None) -> None:
    assert CATALOGUE.meant(written, "Dockerfile") == means


@pytest.mark.parametrize("written", ["cabestan/node:1", "cabestan/node:20", "cabestan/nod", "cabestan/python:3.1"])
def test_what_the_catalogue_does_not_have_is_refused_with_what_it_has(written: str) -> None:
    words = (
        f"Dockerfile:4: {written} is no base image of this platform. "
        "There are: cabestan/node:18, cabestan/node:9, cabestan/python:3.11."
    )
    with pytest.raises(Invalid, match=re.escape(words)):
        CATALOGUE.meant(written, "Dockerfile", 4)


def planned(**texts: str) -> dict[str, tuple[tuple[str, ...], tuple[Base, ...]]]:
    """Of each job: the base images that it needs, and what it takes something from."""
    source = Source("shop/api", COMMIT, "main", "127.0.0.1:5600", frozenset(texts), (), texts, CATALOGUE)
    jobs = blueprint(source, job_image="cabestan/builder:1").jobs
    return {job.name: (job.base_images, job.bases) for job in jobs}


def test_a_job_needs_the_base_images_of_all_its_stages() -> None:
    text = "ARG BASE=cabestan/python:3.11\nFROM acme/node AS build\nFROM $BASE\nCOPY --from=build /a /a\n"
    needs = ("cabestan/node:18", "cabestan/python:3.11")
    bases = (Base("acme/node", needs[0]), Base("$BASE", needs[1]))
    assert planned(Dockerfile=text) == {"build": (needs, bases)}


def test_an_image_of_the_repository_comes_before_one_of_the_catalogue() -> None:
    files = {"Dockerfile.node": "# cabestan/node\n# VERSION 18\nFROM debian:12\n", "Dockerfile": "FROM cabestan/node\n"}
    own = Base("cabestan/node", "127.0.0.1:5600/shop/api/node", "build node")
    assert planned(**files) == {"build": ((), (own,)), "build node": ((), (Base("debian:12", "debian:12"),))}


def test_an_unknown_base_image_is_refused_with_file_and_line() -> None:
    with pytest.raises(Invalid, match="Dockerfile:3: cabestan/nodejs:18 is no base image"):
        planned(Dockerfile="# shop/api\n\nFROM --platform=linux/amd64 cabestan/nodejs:18 AS a\n")
