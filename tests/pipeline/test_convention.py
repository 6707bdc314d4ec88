from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.samples import COMMIT

from cabestan.domain.pipeline import Base, Blueprint, BuildJob, ImageBuild
from cabestan.errors import Invalid
from cabestan.pipeline.convention import AskedBuild, BuildRefused, Source, blueprint, compose_file, dockerfiles
from cabestan.pipeline.refused import DockerfileRefused

REGISTRY = "127.0.0.1:5600"
OURS = f"{REGISTRY}/shop/api"
PLAIN = "FROM cabestan/python:3.11\n"


def source(texts: dict[str, str], *builds: AskedBuild, files: tuple[str, ...] = ()) -> Source:
    return Source("shop/api", COMMIT, "main", REGISTRY, frozenset({*texts, *files}), builds, texts)


def planned(texts: dict[str, str], *builds: AskedBuild, files: tuple[str, ...] = ()) -> Blueprint:
    return blueprint(source(texts, *builds, files=files), job_image="cabestan/builder:1")


def job(
    name: str = "",
    dockerfile: str = "Dockerfile",
    *,
    context: str = ".",
    needs: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    bases: tuple[Base, ...] = (Base("cabestan/python:3.11", "cabestan/python:3.11"),),
    arguments: str = "",
    service: str = "",
    target: str = "",
    args: tuple[tuple[str, str], ...] = (),
) -> BuildJob:
    """The whole job for an image."""
    reference = f"shop/api/{name}" if name else "shop/api"
    all_tags = (COMMIT, *tags)
    return BuildJob(
        name=f"build {name}" if name else "build",
        stage="build",
        image="cabestan/builder:1",
        needs=needs,
        environment=(
            ("CI_COMMIT_SHA", COMMIT),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_PROJECT_PATH", "shop/api"),
            ("CI_REGISTRY", REGISTRY),
            ("CI_REGISTRY_IMAGE", OURS),
            ("IMAGE", f"{REGISTRY}/{reference}"),
            ("DOCKERFILE", dockerfile),
            ("CONTEXT", context),
            ("TARGET", target),
            ("BUILD_ARGUMENTS", arguments),
        ),
        build=ImageBuild(name, dockerfile, context, reference, all_tags, service, target, args),
        bases=bases,
    )


def test_one_dockerfile_is_one_image_named_as_the_project() -> None:
    assert planned({"Dockerfile": PLAIN}) == Blueprint((job(),))


def test_each_dockerfile_at_the_root_is_an_image_of_its_name() -> None:
    texts = {"Dockerfile": PLAIN, "Dockerfile.Web": PLAIN, "Dockerfile-worker_1": PLAIN}
    others = ("web/Dockerfile", "Dockerfile.web.dockerignore", "Dockerfile.dockerignore", "MyDockerfile", "Dockerfile.")
    assert planned(texts, files=others) == Blueprint(
        (job(), job("worker_1", "Dockerfile-worker_1"), job("web", "Dockerfile.Web"))
    )


def test_a_version_in_the_leading_comments_is_a_tag_too() -> None:
    assert planned({"Dockerfile": f"# shop/api\n# VERSION 0.2\n{PLAIN}"}) == Blueprint((job(tags=("0.2",)),))


def test_declared_arguments_are_given() -> None:
    text = f"ARG CI_COMMIT_SHA\nARG OTHER=1\n{PLAIN}ARG CI_PROJECT_PATH=none\n"
    assert planned({"Dockerfile": text}) == Blueprint(
        (job(arguments=f"CI_COMMIT_SHA={COMMIT}\nCI_PROJECT_PATH=shop/api"),)
    )


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("shop/api", ""),
        ("shop/api:latest", ""),
        ("shop/api:0.2", ""),
        (f"shop/api:{COMMIT}", ""),
        (f"{OURS}:0.2", ""),
        ("tools/base", ""),
        ("tools/base:0.2", ""),
        ("$CI_REGISTRY_IMAGE", "ARG CI_REGISTRY_IMAGE\n"),
        ("${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}", "ARG CI_REGISTRY_IMAGE\nARG CI_COMMIT_SHA\n"),
        ("${BASE}", "ARG BASE=tools/base:0.2\n"),
        ("${BASE:-shop/api}", ""),
    ],
)
def test_an_image_waits_for_the_one_of_the_repository_that_it_builds_on(written: str, declared: str) -> None:
    texts = {"Dockerfile": f"# tools/base\n# VERSION 0.2\n{PLAIN}", "Dockerfile.web": f"{declared}FROM {written}\n"}
    names = {"CI_REGISTRY_IMAGE": OURS, "CI_COMMIT_SHA": COMMIT}
    arguments = "\n".join(f"{name}={value}" for name, value in sorted(names.items()) if f"ARG {name}" in declared)
    bases = (Base(written, OURS, "build"),)
    web = job("web", "Dockerfile.web", needs=("build",), bases=bases, arguments=arguments)
    assert planned(texts) == Blueprint((job(tags=("0.2",)), web))


@pytest.mark.parametrize("written", ["shop/api:0.3", "shop/apis", "other/shop/api", "debian:12", "tools/base", "build"])
def test_a_foreign_base_is_not_waited_for(written: str) -> None:
    texts = {"Dockerfile": f"# VERSION 0.2\n{PLAIN}", "Dockerfile.web": f"FROM x AS build\nFROM {written}\n"}
    assert [found.needs for found in planned(texts).jobs] == [(), ()]


def test_a_chain_of_images_is_built_in_order_and_the_rest_side_by_side() -> None:
    texts = {
        "Dockerfile.a": "FROM shop/api/b\nFROM shop/api/c\n",
        "Dockerfile.b": "FROM shop/api/c\n",
        "Dockerfile.c": PLAIN,
        "Dockerfile.d": PLAIN,
    }
    assert {found.name: found.needs for found in planned(texts).jobs} == {
        "build a": ("build b", "build c"),
        "build b": ("build c",),
        "build c": (),
        "build d": (),
    }


def test_the_builds_of_the_compose_file_are_the_images() -> None:
    texts = {"Dockerfile": PLAIN, "web/Dockerfile": PLAIN, "web/Dockerfile.worker": PLAIN}
    assert planned(
        texts,
        AskedBuild("app", ".", "", "${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}"),
        AskedBuild("copy", "./", "Dockerfile", f"{OURS}"),
        AskedBuild("Web", "./web", "", ""),
        AskedBuild("jobs", "web", "Dockerfile.worker", "$CI_REGISTRY_IMAGE/worker"),
    ) == Blueprint(
        (
            job(service="app"),
            job("web", "web/Dockerfile", context="web", service="Web"),
            job("worker", "web/Dockerfile.worker", context="web", service="jobs"),
        )
    )


def refused(texts: dict[str, str], *builds: AskedBuild) -> str:
    with pytest.raises(Invalid) as found:
        planned(texts, *builds)
    assert found.value.remedy
    return found.value.message


def test_a_circle_is_refused_with_its_files() -> None:
    texts = {"Dockerfile.a": "FROM shop/api/b\n", "Dockerfile.b": "FROM shop/api/a\n", "Dockerfile.c": PLAIN}
    assert refused(texts) == "The images of Dockerfile.a, Dockerfile.b build on each other in a circle."


def test_too_many_images_are_refused_before_they_are_read() -> None:
    texts = {f"Dockerfile.{n}": PLAIN for n in range(31)}
    assert refused(texts) == "31 images are to be built."
    with pytest.raises(Invalid):
        dockerfiles(frozenset(texts), ())
    assert len(planned(dict(list(texts.items())[:30])).jobs) == 30


def test_a_missing_dockerfile_is_refused_with_its_service_and_path() -> None:
    message = "The service web is to be built from web/Dockerfile, which the commit does not have."
    assert refused({}, AskedBuild("web", "./web", "", "")) == message


@pytest.mark.parametrize(
    ("context", "dockerfile", "path"), [("..", "", "../Dockerfile"), (".", "../x", "../x"), (".", "/etc/x", "/etc/x")]
)
def test_a_dockerfile_outside_the_repository_is_refused(context: str, dockerfile: str, path: str) -> None:
    message = f"The service web is to be built from {path}, outside the repository."
    assert refused({}, AskedBuild("web", context, dockerfile, "")) == message


@pytest.mark.parametrize("name", ["a__b", "a.-b", "a-"])
def test_a_name_that_no_registry_takes_is_refused_with_its_file(name: str) -> None:
    path = f"Dockerfile.{name}"
    assert refused({path: PLAIN}) == f"{path} would make an image named “{name}”, which no registry takes."


def test_an_image_that_is_called_otherwise_is_called_as_its_service_in_the_registry() -> None:
    found = planned({"Dockerfile": PLAIN}, AskedBuild("web", ".", "", "acme/api:latest"))
    assert found == Blueprint((job("web", service="web"),))


@pytest.mark.parametrize("image", ["${CI_REGISTRY_IMAGE}/a/b", f"{OURS}/a--b"])
def test_a_service_whose_image_no_registry_takes_is_refused_at_its_line(image: str) -> None:
    build = AskedBuild("web", ".", "", image, file="compose.yml", line=7)
    with pytest.raises(BuildRefused, match="no registry takes") as found:
        planned({"Dockerfile": PLAIN}, build)
    assert (found.value.build.file, found.value.build.line) == ("compose.yml", 7)


STAGES = "ARG BASE=debian:12\nFROM ${BASE} AS Production\nFROM production AS development\n"


def test_a_target_and_args_are_the_builds_and_fill_in_what_it_stands_on() -> None:
    args = (("BASE", "shop/api/base"), ("MODE", "a b"), ("CI_COMMIT_SHA", "mine"))
    builds = (
        AskedBuild("base", "base", "", ""),
        AskedBuild("web", ".", "", "", "production", args),
    )
    texts = {"Dockerfile": f"ARG CI_COMMIT_SHA\n{STAGES}", "base/Dockerfile": PLAIN}
    assert planned(texts, *builds) == Blueprint(
        (
            job("base", "base/Dockerfile", context="base", service="base"),
            job(
                "web",
                needs=("build base",),
                service="web",
                target="production",
                args=args,
                bases=(Base("${BASE}", f"{OURS}/base", "build base"),),
                arguments="CI_COMMIT_SHA=mine\nBASE=shop/api/base\nMODE=a b",
            ),
        )
    )


@pytest.mark.parametrize(
    ("value", "told"), [(f"{REGISTRY}/vic/app:0.2", "is not this project's own image"), ("", "is no image's name")]
)
def test_an_arg_leads_to_no_image_that_could_not_be_written(value: str, told: str) -> None:
    texts = {"Dockerfile": f"ARG BASE={REGISTRY}/vic/app\nFROM ${{BASE}}\n"}
    good = planned(texts, AskedBuild("web", ".", "", "", args=(("BASE", "debian:12"),)))
    assert good.jobs[0].bases == (Base("${BASE}", "debian:12"),)
    with pytest.raises(DockerfileRefused, match=told):
        planned(texts, AskedBuild("web", ".", "", "", args=(("BASE", value),)))


def test_a_stage_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert len(planned({"Dockerfile": STAGES}, AskedBuild("a", ".", "", "", "1")).jobs) == 1
    with pytest.raises(BuildRefused, match="the stage builder, which Dockerfile does not have") as found:
        planned({"Dockerfile": STAGES}, AskedBuild("web", ".", "", "", "builder"))
    assert found.value.remedy == "Correct build.target; there are: production, development."


def test_one_image_with_two_targets_is_refused_and_the_remedy_works() -> None:
    texts = {"Dockerfile": STAGES}
    builds = (
        AskedBuild("web", ".", "", "$CI_REGISTRY_IMAGE", "production"),
        AskedBuild("tools", ".", "", "$CI_REGISTRY_IMAGE", "development", line=5),
    )
    with pytest.raises(BuildRefused) as found:
        planned(texts, *builds)
    assert found.value.message == (
        "The services web and tools, whose target or args differ, would both become the image shop/api."
    )
    assert found.value.remedy.startswith("Leave image out of the service tools")
    assert found.value.build.line == 5
    assert [one.name for one in planned(texts, builds[0], replace(builds[1], image="")).jobs] == [
        "build",
        "build tools",
    ]


@pytest.mark.parametrize("other", ["Dockerfile.WEB", "Dockerfile-web"])
def test_two_dockerfiles_for_one_image_are_refused(other: str) -> None:
    first, second = sorted(("Dockerfile.web", other))
    assert refused({"Dockerfile.web": PLAIN, other: PLAIN}) == (
        f"{first} in . and {second} in . would both become the image shop/api/web."
    )


def test_two_services_that_build_one_image_differently_are_refused() -> None:
    texts = {"Dockerfile": PLAIN, "web/Dockerfile": PLAIN}
    builds = (AskedBuild("a", ".", "", "$CI_REGISTRY_IMAGE"), AskedBuild("b", "web", "", "$CI_REGISTRY_IMAGE"))
    message = "Dockerfile in . and web/Dockerfile in web would both become the image shop/api."
    assert refused(texts, *builds) == message


def test_nothing_to_build_and_a_pipeline_file_are_told() -> None:
    assert planned({}, files=("README.md", ".gitlab-ci.yml")) == Blueprint(
        (),
        (
            ".gitlab-ci.yml is not read yet: the convention built every Dockerfile instead.",
            "There is no Dockerfile at the root and no build: in the Compose file, so nothing is built.",
        ),
    )


def test_of_several_compose_files_dockers_own_order_decides() -> None:
    every = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]
    for count in range(4):
        assert compose_file(frozenset(every[count:])) == every[count]
    assert compose_file(frozenset({"web/compose.yml"})) is None


@pytest.mark.parametrize("version", ["1.0 rc", "a;b", "1$(id)", "1/2", "-1", "1 --privileged"])
def test_a_version_of_another_form_is_no_tag(version: str) -> None:
    (found,) = planned({"Dockerfile": f"# VERSION {version}\n{PLAIN}"}).jobs
    assert found.build
    assert all(re.fullmatch(r"\w[\w.-]{0,127}", tag) for tag in found.build.tags)
    assert found.build.tags[0] == COMMIT


@pytest.mark.parametrize(
    ("used", "files", "names"),
    [
        (("${CI_REGISTRY_IMAGE}/app:${CI_COMMIT_SHA}",), ("Dockerfile",), ["build app"]),
        (
            ("$CI_REGISTRY_IMAGE/app", "$CI_REGISTRY_IMAGE/cdn:1"),
            ("Dockerfile", "Dockerfile.cdn"),
            ["build app", "build cdn"],
        ),
        (("$CI_REGISTRY_IMAGE/app", "$CI_REGISTRY_IMAGE:1"), ("Dockerfile",), ["build"]),
        (("$CI_REGISTRY_IMAGE/app", "$CI_REGISTRY_IMAGE/web"), ("Dockerfile",), ["build"]),
        (("debian:12", "$CI_REGISTRY_IMAGE/cdn"), ("Dockerfile", "Dockerfile.cdn"), ["build", "build cdn"]),
        (("127.0.0.1:5600/shop/apis/app",), ("Dockerfile",), ["build"]),
    ],
)
def test_the_plain_dockerfile_makes_the_one_image_that_the_compose_file_misses(
    used: tuple[str, ...], files: tuple[str, ...], names: list[str]
) -> None:
    found = replace(source(dict.fromkeys(files, PLAIN)), used=used)
    assert sorted(job.name for job in blueprint(found, job_image="cabestan/builder:1").jobs) == names
