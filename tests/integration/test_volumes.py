"""Volumes belong to the account 1001, as whom images run, whatever they hold at first."""

import io
import os
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from tests.integration.harness import CHECKOUT, Platform
from tests.integration.samples import COMPOSE, DOCKERFILE, SMALL

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.adapters.volume_sizes import disk_of
from cabestan.compose.stack import EXTENSION, Stack
from cabestan.compose.volumes import volumes_of
from cabestan.errors import StepFailed

pytestmark = pytest.mark.integration

_ADDRESS = "unix:///var/run/docker.sock"
_INSTANCE = f"t{uuid.uuid4().hex[:7]}"
_LABELS = {"cabestan.instance": _INSTANCE, "cabestan.volume": "data"}
#: folder and owner of what the images have at /data: nothing, or a file and the folder, or the folder alone
_FOLDERS = {"none": None, "root": (0, True), "other": (1234, True), "empty": (0, False), "empty-other": (1234, False)}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=_ADDRESS, version="auto", timeout=60)
    yield made
    for volume in made.volumes.list(filters={"label": f"cabestan.instance={_INSTANCE}"}):
        volume.remove()
    made.close()


@pytest.fixture(scope="module")
def images(client: docker.DockerClient) -> Iterator[dict[str, str]]:
    """Images with nothing in them but /data."""
    made = {name: _imported(client, f"{_INSTANCE}/{name}:1", folder) for name, folder in _FOLDERS.items()}
    yield made
    for image in made.values():
        client.images.remove(image, force=True)


def _imported(client: docker.DockerClient, name: str, folder: tuple[int, bool] | None) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(_entry("etc", 0))
        if folder:
            owner, full = folder
            archive.addfile(_entry("data", owner))
            if full:
                archive.addfile(_entry("data/inner", 0))
    repository, _, tag = name.partition(":")
    client.api.import_image_from_data(packed.getvalue(), repository=repository, tag=tag)
    return name


def _entry(name: str, owner: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o750, owner, owner
    return entry


def _stack(name: str, *images: str, nocopy: bool = False) -> Stack:
    mount = {"type": "volume", "source": "data", "target": "/data", **({"volume": {"nocopy": True}} if nocopy else {})}
    services = {f"s{i}": {"image": image, "volumes": [mount]} for i, image in enumerate(images)}
    return Stack(
        {"services": services, "volumes": {"data": {"name": f"{name}_data", "labels": _LABELS}}, EXTENSION: {}}
    )


@pytest.fixture
def stack(client: docker.DockerClient) -> str:
    return f"{_INSTANCE}-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def ensure(tmp_path: Path, stack: str) -> Iterator[Callable[[Stack], None]]:
    engine = Engine(_ADDRESS)
    stacks = Stacks(Nodes(engine), _INSTANCE, RegistryLogin("127.0.0.1:1", ""), tmp_path)
    yield lambda wanted: stacks.ensure_volumes(stack, volumes_of(wanted), 60)
    engine.client.close()


def _looks(client: docker.DockerClient, stack: str) -> tuple[int, int, str, list[str]]:
    """Owner, group, mode and content of the stack's volume."""
    path = Path(client.api.inspect_volume(f"{stack}_data")["Mountpoint"])
    found = path.stat()
    return found.st_uid, found.st_gid, oct(found.st_mode & 0o7777), sorted(os.listdir(path))


def _there(client: docker.DockerClient, stack: str) -> list[str]:
    """All of the stack that there is in Docker."""
    containers = [c["Names"][0] for c in client.api.containers(all=True, filters={"name": stack})]
    return sorted([v.name for v in client.volumes.list(filters={"name": stack})] + containers)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("none",), (1001, 1001, "0o755", [])),
        (("empty",), (1001, 1001, "0o750", [])),
        (("root",), (1001, 1001, "0o750", ["inner"])),
        (("other",), (1234, 1234, "0o750", ["inner"])),
        (("empty-other",), (1234, 1234, "0o750", [])),
        (("none", "root"), (1001, 1001, "0o750", ["inner"])),
        (("empty-other", "empty"), (1234, 1234, "0o750", [])),
    ],
)
def test_a_new_volume_is_filled_and_never_roots(
    client: docker.DockerClient,
    images: dict[str, str],
    stack: str,
    ensure: Callable[[Stack], None],
    names: tuple[str, ...],
    expected: tuple[int, int, str, list[str]],
) -> None:
    ensure(_stack(stack, *(images[name] for name in names)))
    assert (_looks(client, stack), _there(client, stack)) == (expected, [f"{stack}_data"])
    labels = client.api.inspect_volume(f"{stack}_data")["Labels"]
    assert labels == {**_LABELS, "com.docker.stack.namespace": stack}


def test_what_a_volume_takes_is_counted(
    client: docker.DockerClient, images: dict[str, str], stack: str, ensure: Callable[[Stack], None]
) -> None:
    ensure(_stack(stack, images["none"]))
    (Path(client.api.inspect_volume(f"{stack}_data")["Mountpoint"]) / "large").write_bytes(bytes(3 << 20))
    engine = Engine(_ADDRESS)
    disk = disk_of(engine, _INSTANCE)
    engine.client.close()
    (size,) = (one.bytes for one in disk.volumes if one.name == f"{stack}_data")
    assert 3 << 20 <= size < 4 << 20
    assert Path(disk.folder).is_dir()


def test_nocopy_takes_nothing_from_the_image(
    client: docker.DockerClient, images: dict[str, str], stack: str, ensure: Callable[[Stack], None]
) -> None:
    ensure(_stack(stack, images["other"], nocopy=True))
    assert _looks(client, stack) == (1001, 1001, "0o755", [])


def test_a_volume_that_is_there_is_never_touched(
    client: docker.DockerClient, images: dict[str, str], stack: str, ensure: Callable[[Stack], None]
) -> None:
    client.api.create_volume(f"{stack}_data", labels={"cabestan.instance": _INSTANCE})
    ensure(_stack(stack, images["root"]))
    assert _looks(client, stack)[:2] == (0, 0)


def test_what_stands_in_the_way_is_told_at_once(
    client: docker.DockerClient,
    images: dict[str, str],
    stack: str,
    ensure: Callable[[Stack], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody who could foresee the place: the engine's refusal is no engine that is away, for which it would wait."""
    monkeypatch.setattr("cabestan.adapters.volumes.secrets.token_hex", lambda _: "foreseen")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("cabestan-volume-foreseen"))
    image = f"{_INSTANCE}/blocked:1"
    client.api.import_image_from_data(packed.getvalue(), repository=image.removesuffix(":1"), tag="1")
    try:
        with pytest.raises(StepFailed):
            ensure(_stack(stack, image))
    finally:
        client.images.remove(image, force=True)
    monkeypatch.undo()
    ensure(_stack(stack, images["none"]))
    assert (_looks(client, stack)[:2], _there(client, stack)) == ((1001, 1001), [f"{stack}_data"])


_KILLED = """\
import os, sys
from pathlib import Path
from cabestan.adapters import volumes
from cabestan.adapters.engine_api import Engine
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stacks import Stacks
from cabestan.compose.stack import Stack
from cabestan.adapters.node_engines import Nodes
from cabestan.compose.volumes import volumes_of
from docker.api.client import APIClient
folder, instance, stack, place, method, call = sys.argv[1:]
original, calls = getattr(APIClient, method), []
def killing(*arguments, **options):
    calls.append(1)
    if len(calls) == int(call):
        if place == "after":
            original(*arguments, **options)
        os.kill(os.getpid(), 9)
    return original(*arguments, **options)
setattr(APIClient, method, killing)
wanted = volumes_of(Stack.from_yaml(sys.stdin.read()))
stacks = Stacks(Nodes(Engine("unix:///var/run/docker.sock")), instance, RegistryLogin("127.0.0.1:1", ""), Path(folder))
stacks.ensure_volumes(stack, wanted, 60)
"""


@pytest.mark.parametrize(
    ("place", "method", "call"),
    [
        ("after", "create_volume", 1),
        ("after", "create_volume", 2),
        ("after", "create_container", 1),
        ("before", "put_archive", 1),
        ("after", "put_archive", 1),
        ("before", "remove_volume", 1),
    ],
)
def test_a_kill_at_any_point_is_made_good(
    client: docker.DockerClient,
    images: dict[str, str],
    stack: str,
    ensure: Callable[[Stack], None],
    tmp_path: Path,
    place: str,
    method: str,
    call: int,
) -> None:
    wanted = _stack(stack, images["empty"])
    command = [sys.executable, "-c", _KILLED, str(tmp_path), _INSTANCE, stack, place, method, str(call)]
    done = subprocess.run(
        command, input=wanted.to_yaml().encode(), cwd=CHECKOUT / "src", capture_output=True, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr.decode()
    ensure(wanted)
    assert _looks(client, stack) == (1001, 1001, "0o750", [])
    assert _there(client, stack) == [f"{stack}_data"]
    with pytest.raises(NotFound):
        client.api.inspect_volume(f"{stack}-new_data")


_WRITES = """\
import http.server, os
for place in ("/none", "/empty", "/full"):
    with open(f"{place}/said", "a") as file:
        file.write(os.environ["SAYS"] + "\\n")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        told = {p: (os.stat(p).st_uid, sorted(os.listdir(p))) for p in ("/none", "/empty", "/full", "/others")}
        self.wfile.write(repr((os.getuid(), told)).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
_FOLDERS_OF_IMAGE = """\
RUN mkdir /empty /full /others && touch /full/seed && chown 1234 /others
USER"""
_MOUNTS = """\
    volumes: ["./none:/none", "empty:/empty", "full:/full", "others:/others"]
    expose"""


def test_an_application_of_the_account_1001_writes_into_its_volumes(platform: Platform) -> None:
    compose = COMPOSE.replace("    expose", _MOUNTS) + "volumes: {empty: {}, full: {}, others: {}}\n"
    files = {"app.py": _WRITES, "docker-compose.yml": compose}
    work = platform.make_project(SMALL | files | {"Dockerfile": DOCKERFILE.replace("USER", _FOLDERS_OF_IMAGE)})
    expected = {
        "/none": (1001, ["said"]),
        "/empty": (1001, ["said"]),
        "/full": (1001, ["said", "seed"]),
        "/others": (1234, []),
    }
    for _ in range(2):
        ended = work.deployed()
        assert ended["status"] == "succeeded", ended
        assert platform.ask(work.host("staging")).text == repr((1001, expected))
    names = [v.name for v in platform.client.volumes.list(filters={"label": f"cabestan.project={work.name}"})]
    assert sorted(name.rpartition("_")[2] for name in names) == ["empty", "full", "none", "others"]
