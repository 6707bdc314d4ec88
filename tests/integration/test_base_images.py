"""The base images on a real engine: what is in them, and what building survives."""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from cabestan.adapters.images import BuildEvent, ImageBuilder, ImageRecipe, catalogue
from cabestan.errors import StepFailed

pytestmark = pytest.mark.integration
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="module")
def base_images(client: docker.DockerClient) -> tuple[ImageRecipe, ...]:
    recipes = catalogue(CHECKOUT / "images")
    ImageBuilder(client, recipes=recipes, report=lambda event: None).ensure()
    return recipes


@dataclass
class Own:
    """A catalogue of this test alone, on top of cabestan/debian:12."""

    folder: Path
    name: str
    base: ImageRecipe
    client: docker.DockerClient
    events: list[BuildEvent]

    def recipe(self, run: str) -> ImageRecipe:
        self.folder.joinpath("Dockerfile").write_text(
            f"# {self.name}\n# VERSION 1\nFROM cabestan/debian:12\nLABEL cabestan.test={self.name}\nRUN {run}\n"
        )
        unlike_any_other = uuid.uuid4().hex[:16]
        return ImageRecipe(self.folder.name, f"{self.name}:1", self.base.reference, self.folder, unlike_any_other)

    def builder(self, recipe: ImageRecipe, ca_bundle: Path | None = None) -> ImageBuilder:
        work = self.folder.parent / "work"
        return ImageBuilder(self.client, recipes=[recipe], report=self.events.append, ca_bundle=ca_bundle, work=work)

    def containers(self) -> list[str]:
        """Those of its builds: they run on an image's id, and carry the labels of what they build."""
        found = self.client.containers.list(
            all=True, filters={"label": f"cabestan.test={self.name}"}, ignore_removed=True
        )
        return sorted(str(container.id) for container in found)

    def run(self, *command: str) -> str:
        return self.client.containers.run(f"{self.name}:1", list(command), remove=True).decode()


@pytest.fixture
def own(tmp_path: Path, client: docker.DockerClient, base_images: tuple[ImageRecipe, ...]) -> Iterator[Own]:
    name = f"cabestan-test-{uuid.uuid4().hex[:8]}"
    (tmp_path / name).mkdir()
    yield Own(tmp_path / name, name, base_images[0], client, [])
    for image in client.images.list(filters={"label": f"cabestan.image={name}"}):
        client.images.remove(image.id, force=True)


@pytest.mark.parametrize(
    ("reference", "command", "says"),
    [
        ("cabestan/debian:12", "cat /etc/debian_version", "12."),
        ("cabestan/python:3.11", "python3 --version", "Python 3.11."),
        ("cabestan/python:3.11", "id app", "uid=1001(app)"),
        ("cabestan/builder:1", "dockerd --version", "Docker version"),
        ("cabestan/builder:1", "docker buildx version", "github.com/docker/buildx"),
        ("cabestan/registry:3", "docker-registry --version", "docker-registry"),
        ("cabestan/registry:3", "id", "uid=1001(registry)"),
        ("cabestan/router:5", "traefik version", "Version:      3."),
    ],
)
def test_an_image_holds_what_it_is_for(
    client: docker.DockerClient,
    base_images: tuple[ImageRecipe, ...],
    reference: str,
    command: str,
    says: str,
) -> None:
    output = client.containers.run(reference, ["-c", command], entrypoint="/bin/sh", remove=True)
    assert says in output.decode()


def test_no_image_keeps_anything_of_the_machine_that_built_it(
    client: docker.DockerClient, base_images: tuple[ImageRecipe, ...]
) -> None:
    left = "find /tmp /var/log /var/lib/apt/lists /usr/share/man /usr/share/locale /usr/local/share -type f -size +0"
    for recipe in base_images:
        output = client.containers.run(
            recipe.reference, ["-c", f"{left} 2>/dev/null || true"], entrypoint="/bin/sh", remove=True
        )
        assert (recipe.name, output.decode().split()) == (recipe.name, [])


def test_images_that_are_there_are_not_built_again(
    client: docker.DockerClient, base_images: tuple[ImageRecipe, ...]
) -> None:
    events: list[BuildEvent] = []
    builder = ImageBuilder(client, recipes=base_images, report=events.append)
    assert (builder.ensure(), builder.ensure(["python"]), events) == ((), (), [])


def test_a_build_that_fails_leaves_no_tag_and_no_container(own: Own) -> None:
    builder = own.builder(own.recipe("echo the last words && exit 3"))
    with pytest.raises(StepFailed, match="returned a non-zero code: 3") as raised:
        builder.ensure()
    assert "    the last words\n" in raised.value.message
    assert own.containers() == []
    with pytest.raises(ImageNotFound):
        own.client.images.get(f"{own.name}:1")


def test_a_new_recipe_replaces_the_image_and_removes_the_old_one(own: Own) -> None:
    first = own.recipe("echo one > /one")
    assert own.builder(first).ensure() == (first,)
    old = own.client.images.get(first.reference).id
    second = own.recipe("echo two > /two")
    assert own.builder(second).ensure() == (second,)
    assert own.run("cat", "/two") == "two\n"
    with pytest.raises(ImageNotFound):
        own.client.images.get(old)


def test_an_extra_bundle_is_used_and_not_kept(own: Own, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("a bundle\n")
    # a stand-in that keeps what the real install-packages would hand to apt
    recipe = own.recipe("test -s /tmp/extra-ca.crt && : install-packages && rm /tmp/extra-ca.crt")
    own.builder(recipe, bundle).ensure()
    assert own.run("ls", "/tmp") == ""


def test_two_builders_at_once_build_once(own: Own) -> None:
    recipe = own.recipe("sleep 1")
    built: list[tuple[ImageRecipe, ...]] = []
    threads = [threading.Thread(target=lambda: built.append(own.builder(recipe).ensure())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(built, key=len) == [(), (recipe,)]


KILLED = """
import sys, docker
from pathlib import Path
from cabestan.adapters.images import ImageBuilder, ImageRecipe
name, folder, work = sys.argv[1:]
recipe = ImageRecipe(name, name + ":1", "cabestan/debian:12", Path(folder), "0" * 16)
show = lambda event: print(event.text, flush=True)
ImageBuilder(docker.from_env(), recipes=[recipe], report=show, work=Path(work)).ensure()
"""


def test_a_builder_that_is_killed_leaves_nothing_and_the_next_one_succeeds(own: Own) -> None:
    recipe = own.recipe("echo begun && sleep 30")
    command = [sys.executable, "-c", KILLED, own.name, str(own.folder), str(own.folder.parent / "work")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None
        assert any(line == "begun\n" for line in process.stdout)
        assert own.containers()
        process.kill()
    assert settles(lambda: own.containers() == [])
    recipe = own.recipe("echo again")
    assert own.builder(recipe).ensure() == (recipe,)
    assert [path.name for path in (own.folder.parent / "work").iterdir()] == ["lock"]


def settles(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
