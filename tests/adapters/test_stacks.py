from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import ImageNotFound

from cabestan.adapters.engine_api import Engine
from cabestan.adapters.node_engines import Nodes
from cabestan.adapters.registry_login import RegistryLogin
from cabestan.adapters.stack_client import deploy_command
from cabestan.adapters.stacks import Stacks, parse_pushed_digest
from cabestan.errors import StepFailed


def test_a_stack_is_given_to_swarm_by_this_command() -> None:
    assert deploy_command("unix:///run/docker.sock", "cabestan-1-a-b", prune=True) == [
        "docker",
        "--host",
        "unix:///run/docker.sock",
        "stack",
        "deploy",
        "--prune",
        "--resolve-image",
        "never",
        "--with-registry-auth",
        "-c",
        "-",
        "cabestan-1-a-b",
    ]


def test_the_digest_is_in_the_last_answer_to_a_push() -> None:
    answers = [
        {"status": "The push refers to repository [127.0.0.1:5600/library/debian]"},
        {"status": "Pushed", "progressDetail": {}, "id": "4f4fb700ef54"},
        {"status": "12: digest: sha256:ab size: 529"},
        {"progressDetail": {}, "aux": {"Tag": "12", "Digest": "sha256:ab", "Size": 529}},
    ]
    assert parse_pushed_digest(answers, "debian:12") == "sha256:ab"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([{"errorDetail": {"message": "refused"}, "error": "refused"}], "debian:12 cannot be pushed: refused."),
        ([{"aux": {"Digest": "sha256:ab"}}, {"error": "too late"}], "debian:12 cannot be pushed: too late."),
        ([{"status": "Pushed"}, {"aux": {}}], "The registry gave no digest for debian:12."),
        ([], "The registry gave no digest for debian:12."),
    ],
)
def test_a_push_without_a_digest_fails_with_the_words_of_the_registry(
    answers: list[dict[str, str]], words: str
) -> None:
    with pytest.raises(StepFailed) as failed:
        parse_pushed_digest(answers, "debian:12")
    assert failed.value.message == words


ID = "sha256:82a6d02884cdcafe"
OTHERS = f"127.0.0.1:5600/vic/app@sha256:{'1' * 64}"


class FakeApi:
    """An engine with one image, which it also finds by (the beginning of) its id, as the real one does."""

    def __init__(self) -> None:
        self.pulled: list[str] = []

    def inspect_image(self, image: str) -> dict[str, object]:
        if image in ("debian:12", OTHERS) or ID.removeprefix("sha256:").startswith(image.removeprefix("sha256:")):
            return {"Id": ID, "RepoTags": ["debian:12"], "RepoDigests": [OTHERS], "Config": {"User": "1001"}}
        raise ImageNotFound("no such image")

    def pull(self, image: str, **_more: object) -> list[dict[str, str]]:
        self.pulled.append(image)
        return [{"error": "not found"}]


@pytest.mark.parametrize("image", ["debian:12", "docker.io/library/debian:12", OTHERS])
def test_an_image_that_the_engine_has_under_this_name_is_not_pulled(monkeypatch, tmp_path: Path, image: str) -> None:
    api = FakeApi()
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(SimpleNamespace(api=api)))
    api.inspect_image = lambda _name: FakeApi.inspect_image(api, "debian:12")  # type: ignore[method-assign]
    stacks = Stacks(Nodes(Engine("unix:///nowhere")), "t", RegistryLogin("127.0.0.1:5600", "x"), tmp_path)
    assert stacks.configuration(image, 5).user == "1001"
    assert api.pulled == []


@pytest.mark.parametrize("image", ["82a6d02884", ID, "82a6"])
def test_an_id_is_no_name(monkeypatch, tmp_path: Path, image: str) -> None:
    """By it a project could run another one's image."""
    api = FakeApi()
    monkeypatch.setattr(Engine, "speaking", lambda *_: nullcontext(SimpleNamespace(api=api)))
    monkeypatch.setattr(Engine, "client", SimpleNamespace(api=api))
    stacks = Stacks(Nodes(Engine("unix:///nowhere")), "t", RegistryLogin("127.0.0.1:5600", "x"), tmp_path)
    with pytest.raises(StepFailed, match="cannot be pulled: not found"):
        stacks.pin(image, 5)
    assert api.pulled == [image]
