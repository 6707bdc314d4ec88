"""Files of the commit that services get: variables, configs, secrets and what is mounted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.compose.samples import IMAGE, context

from cabestan.compose.commit_files import MOST_BYTES, MOST_BYTES_TOGETHER, MOST_FILES, listing
from cabestan.compose.findings import ComposeRefused, Waivers
from cabestan.compose.library import SourceFile, needed_files
from cabestan.compose.load import Loaded, load_files
from cabestan.compose.render import render
from cabestan.compose.stack import Stack
from cabestan.domain.tree import LinkRefused, Tree
from cabestan.errors import Invalid

COMPOSE = "docker-compose.yml"


def kept(files: Mapping[str, str], compose: str = COMPOSE) -> dict[str, str]:
    """What a release keeps of a commit."""

    def read(path: str) -> str | None:
        if files.get(path) == "binary":
            raise Invalid("no text", "")
        if files.get(path) == "link":
            raise LinkRefused(path, "to ../secret, which leads out of the repository")
        return listing(Tree(frozenset(files)), path) if path.endswith("/") else files.get(path)

    return needed_files([compose], read)


def loaded(lines: str, files: Mapping[str, str], rest: str = "", *, strict: str = "", **variables: str) -> Loaded:
    """From what the release keeps alone."""
    text = f"services:\n  web:\n    image: {IMAGE}\n" + "".join(f"    {one}\n" for one in lines.splitlines()) + rest
    texts = kept({COMPOSE: text, **files})
    waivers = Waivers(strict=frozenset(filter(None, [strict])))
    return load_files([SourceFile(COMPOSE, text)], variables, read=texts.get, waivers=waivers)


def codes(lines: str, files: Mapping[str, str], rest: str = "", **variables: str) -> list[tuple[str, str, int]]:
    try:
        found = loaded(lines, files, rest, **variables).warnings
    except ComposeRefused as refused:
        found = refused.findings
    return [(one.code, one.severity, one.line) for one in found]


def test_files_of_variables_are_read_in_their_order_and_environment_comes_over_them() -> None:
    files = {"a.env": "A=1\nB='$X'\nC=${X}-c\n# no\nexport D=\"d d\"\n", "conf/b.env": "A=2\nE\n"}
    lines = "env_file: [a.env, {path: ./conf/b.env}, {path: gone.env, required: false}]\nenvironment: {C: over}"
    found = loaded(lines, files, X="x")

    assert found.compose.services[0].environment == {"A": "2", "B": "$X", "C": "over", "D": "d d"}
    assert [(one.code, one.line) for one in found.warnings] == [("env-file", 4)]


def test_an_administrators_rule_refuses_files_of_variables() -> None:
    with pytest.raises(ComposeRefused) as refused:
        loaded("env_file: a.env", {"a.env": "A=1\n"}, strict="env-file")
    (finding,) = refused.value.findings
    assert (finding.code, finding.severity, finding.line) == ("env-file", "error", 4)


def test_a_file_of_variables_of_an_extended_service_is_seen_from_its_own_folder() -> None:
    base = "services:\n  base: {image: a, env_file: web.env}\n"
    files = {"common/base.yml": base, "common/web.env": "A=1\n", "web.env": "A=wrong\n"}
    found = loaded("extends: {service: base, file: common/base.yml}", files)
    assert found.compose.services[0].environment == {"A": "1"}


def given(found: Loaded) -> dict[str, str]:
    return {file.target: file.text for file in found.compose.services[0].files}


def test_mounted_files_of_the_commit_are_given_as_they_are() -> None:
    files = {"web.conf": "listen $port\n", "conf/a": "1", "conf/b/c": "2"}
    lines = "volumes: ['./web.conf:/etc/web.conf:ro', './conf:/conf', './data:/data']"
    found = loaded(lines, files)

    assert given(found) == {"/etc/web.conf": "listen $port\n", "/conf/a": "1", "/conf/b/c": "2"}
    assert [volume.key for volume in found.compose.volumes] == ["data"]
    assert {one.code for one in found.warnings} == {"files-given"}
    stack = render(found.compose, context())
    assert sorted(stack.files.values()) == ["1", "2", "listen $port\n"]
    assert Stack.from_yaml(stack.to_yaml()).files == stack.files
    assert [one["target"] for one in stack.document["services"]["web"]["configs"]] == list(given(found))
    assert set(stack.document["configs"]) == {one["source"] for one in stack.document["services"]["web"]["configs"]}


def test_mounts_of_what_the_service_is_built_from_are_left_out() -> None:
    lines = "build: ./web\nvolumes: ['./web:/srv', './web/src:/srv/src', /srv/node_modules, './data:/data']"
    found = loaded(lines, {"web/Dockerfile": "", "web/src/a.js": ""})

    assert [mount.target for mount in found.compose.services[0].mounts] == ["/data"]
    assert [one.code for one in found.warnings] == ["mount-left-out"] * 3
    assert codes("volumes: [/data]", {}) == [("no-anonymous-volume", "error", 4)]


def test_a_folder_beside_what_the_service_is_built_from_is_given() -> None:
    found = loaded("build: ./web\nvolumes: ['./conf:/conf']", {"web/Dockerfile": "", "conf/a": "1"})
    assert given(found) == {"/conf/a": "1"}


def test_a_folder_that_is_kept_in_git_by_a_placeholder_is_a_volume() -> None:
    found = loaded("build: .\nvolumes: ['./data:/data']", {"Dockerfile": "", "data/.gitkeep": ""})
    assert [mount.source for mount in found.compose.services[0].mounts] == ["data"]


@pytest.mark.parametrize(
    "files",
    [
        {"f/big": "x" * (MOST_BYTES + 1)},
        {"f/x": "binary"},
        {"f": "binary"},
        {f"f/{number}": "" for number in range(MOST_FILES + 1)},
    ],
)
def test_what_cannot_be_given_is_left_to_the_check_of_paths(files: dict[str, str]) -> None:
    found = loaded("volumes: ['./f:/f']", files)
    assert (given(found), [volume.source for volume in found.compose.volumes]) == ({}, ["./f"])


def test_all_files_together_are_bounded() -> None:
    count = MOST_BYTES_TOGETHER // MOST_BYTES + 1
    files = {f"f{number}": "x" * MOST_BYTES for number in range(count)}
    lines = "volumes: [" + ", ".join(f"'./{name}:/{name}'" for name in files) + "]"
    assert [code for code, *_ in codes(lines, files)] == ["too-large"]


def test_configs_and_secrets_with_a_file_are_files_of_the_service() -> None:
    rest = (
        "configs: {page: {file: ./page.html}, hello: {content: 'hello ${X}'}}\n"
        "secrets: {db-password: {file: db/password.txt}}\n"
    )
    lines = "configs: [page, {source: hello, target: /srv/hello, mode: 0400, uid: '1001'}]\nsecrets: [db-password, KEY]"
    found = loaded(lines, {"page.html": "<p>", "db/password.txt": "secret"}, rest, X="you")

    assert given(found) == {"/page": "<p>", "/srv/hello": "hello you", "/run/secrets/db-password": "secret"}
    assert [one.secret for one in found.compose.services[0].secrets] == ["KEY"]
    (warning,) = found.warnings
    assert warning.code == "secret-file"
    assert "environment: DB_PASSWORD" in warning.remedy
    assert codes(lines, {"page.html": "<p>"}, rest, X="you")[-1][:2] == ("file-missing", "error")


def test_two_files_at_one_place_are_refused() -> None:
    assert codes("volumes: ['./a:/a', './b:/a']", {"a": "", "b": ""})[-1][0] == "mount-twice"


@pytest.mark.parametrize(
    ("lines", "rest", "line"),
    [
        ("env_file: conf/a", "", 4),
        ("env_file:\n- path: conf/a", "", 5),
        ("configs: [page]", "configs:\n  page: {file: ./conf/a}\n", 6),
        ("secrets: [KEY]", "secrets:\n  KEY: {file: conf/a}\n", 6),
    ],
)
def test_a_link_that_is_not_followed_is_named_as_the_cause(lines: str, rest: str, line: int) -> None:
    with pytest.raises(ComposeRefused) as refused:
        loaded(lines, {"conf/a": "link"}, rest)
    (finding,) = (one for one in refused.value.findings if one.severity == "error")
    assert (finding.code, finding.line, finding.message, finding.remedy) == (
        "link-refused",
        line,
        "conf/a is a symbolic link to ../secret, which leads out of the repository.",
        "Commit the file itself in its place, or a link to a file of this repository.",
    )


def test_a_link_in_the_place_of_a_file_that_need_not_be_there_is_told() -> None:
    found = codes("env_file: [{path: a.env, required: false}]", {"a.env": "link"})
    assert sorted(found) == [("env-file", "warning", 4), ("link-refused", "warning", 4)]


def test_a_link_as_a_mount_is_a_volume_until_the_commit_is_known() -> None:
    found = loaded("volumes: ['./a:/a']", {"a": "link"})
    assert (given(found), [volume.source for volume in found.compose.volumes]) == ({}, ["./a"])
