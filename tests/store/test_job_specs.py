"""Rows of every version since the first one are read; they are kept here word for word."""

import json

import pytest
from tests.samples import build_spec

from cabestan.domain.pipeline import Base, BuildJob, ImageBuild, JobSpec, LintJob, ScriptJob
from cabestan.store.values import dump, reader


def load(text: str) -> JobSpec:
    spec: JobSpec = reader(JobSpec)(json.loads(text))
    return spec


#: of the version that built with the host's own engine
_FIRST = (
    '{"name":"build web","stage":"build","kind":"build","image":"cabestan/job:1","script":"docker build .",'
    '"needs":["build"],"environment":[["IMAGE","127.0.0.1:5600/shop/api/web"],["BASES",""]],"engine_socket":true,'
    '"token":true,"build":{"name":"web","dockerfile":"Dockerfile.web","context":".","reference":"shop/api/web",'
    '"tags":["0.2"],"service":""}}'
)
#: of the version that kept the script with each job
_WITH_SCRIPT = (
    '{"name":"build","stage":"build","kind":"build","image":"cabestan/builder:1","script":"set -e","needs":["lint"],'
    '"environment":[["TARGET","small"]],"builder":true,"token":true,"build":{"name":"","dockerfile":"Dockerfile",'
    '"context":".","reference":"shop/api","tags":[],"service":"web","target":"small","args":[["A","1"]]},'
    '"base_images":["cabestan/python:3.11"],"bases":[{"written":"$B","meant":"cabestan/python:3.11","job":""}]}'
)
_LINT = (
    '{"name":"lint","stage":"lint","kind":"lint","image":"","script":"","needs":[],"environment":[],"builder":false,'
    '"token":false,"build":null,"base_images":[],"bases":[]}'
)
_SCRIPT = (
    '{"name":"script","stage":"test","kind":"script","image":"cabestan/builder:1","script":"echo first","needs":["a"],'
    '"environment":[["A","1"]],"builder":false,"token":false,"build":null,"base_images":[],"bases":[]}'
)


@pytest.mark.parametrize(
    ("row", "spec"),
    [
        (
            _FIRST,
            BuildJob(
                "build web",
                "build",
                ("build",),
                image="cabestan/job:1",
                build=ImageBuild("web", "Dockerfile.web", ".", "shop/api/web", ("0.2",)),
                environment=(("IMAGE", "127.0.0.1:5600/shop/api/web"), ("BASES", "")),
            ),
        ),
        (
            _WITH_SCRIPT,
            BuildJob(
                "build",
                "build",
                ("lint",),
                image="cabestan/builder:1",
                build=ImageBuild("", "Dockerfile", ".", "shop/api", (), "web", "small", (("A", "1"),)),
                environment=(("TARGET", "small"),),
                base_images=("cabestan/python:3.11",),
                bases=(Base("$B", "cabestan/python:3.11"),),
            ),
        ),
        (_LINT, LintJob("lint", "lint")),
        (
            _SCRIPT,
            ScriptJob(
                "script",
                "test",
                ("a",),
                image="cabestan/builder:1",
                script="echo first",
                environment=(("A", "1"),),
            ),
        ),
    ],
)
def test_a_row_of_an_earlier_version_is_read(row: str, spec: JobSpec) -> None:
    assert load(row) == spec
    assert load(dump(spec)) == spec


def test_a_row_has_what_its_kind_has() -> None:
    common = {"kind", "name", "stage", "needs"}
    assert json.loads(dump(LintJob("lint", "lint"))).keys() == common
    assert json.loads(dump(build_spec())).keys() == common | {
        *("image", "build", "environment", "base_images", "bases")
    }
