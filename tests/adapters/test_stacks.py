import pytest

from cabestan.adapters.stacks import deploy_command, parse_pushed_digest
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
