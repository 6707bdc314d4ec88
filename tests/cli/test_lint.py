"""`cabestan lint` and `cabestan render` on a working copy."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import Cli
from tests.cli.fake_server import Asked, FakeServer

DOCKERFILE = "FROM cabestan/python:3.11\nUSER 1001\n"
COMPOSE = "services:\n  web:\n    image: ${CI_REGISTRY_IMAGE}:${CI_COMMIT_SHA}\n"
GOOD = {"Dockerfile": DOCKERFILE, "docker-compose.yml": COMPOSE}
EXAMPLE = Path(__file__).parents[2] / "examples/hello"


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_copy_that_is_well_ends_with_0_and_asks_no_server(cli: Cli, server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    done = cli("lint")
    assert (done.code, done.out, done.err) == (0, "Nothing found.\n", "")
    assert server.asked == []


def test_without_any_login_it_works_as_well(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "client.toml").unlink()
    write(tmp_path, GOOD)
    assert cli("lint").code == 0


def test_the_example_is_well(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE)
    assert cli("lint", "--json").json == []


def test_json_is_a_list_of_findings_with_the_documented_keys(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    privileged: true\n    ports: [80]\n"})
    done = cli("lint", "--json")
    error, warning = done.json
    assert done.code == 1
    assert error == {
        "code": "no-privileged",
        "severity": "error",
        "file": "docker-compose.yml",
        "line": 4,
        "column": 5,
        "path": "services.web.privileged",
        "message": "privileged is not allowed. It would give the container the whole machine.",
        "remedy": "Remove it; do what needs more rights while the image is built.",
    }
    assert (warning["code"], warning["severity"]) == ("ports-deprecated", "warning")


def test_warnings_alone_end_with_0(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    ports: [80]\n"})
    done = cli("lint")
    assert done.code == 0
    assert done.out.endswith("1 warning.\n")


def test_people_get_place_line_and_remedy_without_colour_in_a_pipe(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    devices: [/dev/sda]\n"})
    out = cli("lint").out
    assert out.startswith("docker-compose.yml:4:5: error: devices is not allowed.")
    assert "    4 |     devices: [/dev/sda]\n      |     ^\n" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("options", [("--sarif",), ("--format", "sarif")])
def test_sarif_is_for_tools(cli: Cli, tmp_path: Path, options: tuple[str, ...]) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    pid: host\n"})
    done = cli("lint", *options)
    (run,) = done.json["runs"]
    assert (done.code, done.json["version"], run["results"][0]["ruleId"]) == (1, "2.1.0", "no-pid")


def test_a_dockerfile_is_checked_by_hadolint_with_its_line(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"Dockerfile": "FROM debian\nUSER 1001\n"})
    (finding,) = cli("lint", "--json").json
    assert (finding["code"], finding["severity"], finding["file"], finding["line"]) == (
        "DL3006", "warning", "Dockerfile", 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint", "-f", "nope.yml"),
        ("lint", "-f", "docker-compose.yml", "-f", "nope.yml"),
        ("lint", "-f", "binary.yml"),
        ("lint", "-f", "folder"),
        ("lint", "--format", "xml"),
        ("lint", "--nonsense"),
        ("lint", "--variable", "NAME"),
        ("lint", "--waived", "no-privileged"),
        ("lint", "--waived", "nonsense"),
        ("lint", "--strict", "no-privileged"),
        ("lint", "--strict", "nonsense"),
        ("render", "-e", "staging", "--offline", "--strict", "nonsense"),
        ("lint", "--project", "no-slash"),
        ("render",),
        ("render", "-e", "staging", "-f", "nope.yml"),
    ],
)
def test_what_cannot_run_ends_with_2_and_says_why(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err


def test_a_folder_with_nothing_to_check_ends_with_2(cli: Cli, tmp_path: Path) -> None:
    done = cli("lint")
    assert done.code == 2
    assert "There is no Compose file" in done.err


def test_a_file_elsewhere_is_shown_as_it_was_named(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "there", GOOD | {"docker-compose.yml": f"{COMPOSE}    ipc: host\n"})
    relative = cli("lint", "-f", "there/docker-compose.yml").out
    absolute = cli("lint", "-f", str(tmp_path / "there/docker-compose.yml")).out
    assert relative.startswith("there/docker-compose.yml:4:5: error: ipc")
    assert "    4 |     ipc: host\n" in relative
    assert absolute.startswith(f"{tmp_path}/there/docker-compose.yml:4:5: error: ipc")


def test_the_env_file_stands_in_and_is_warned_of(cli: Cli, tmp_path: Path) -> None:
    compose = f"{COMPOSE}    expose: ['${{PORT}}']\n    command: run ${{MODE:?set it}}\n"
    write(tmp_path, GOOD | {"docker-compose.yml": compose, ".env": "PORT=8000\nCI_COMMIT_SHA=dev\n"})
    required = ("variable-required", "docker-compose.yml", 5)
    found = cli("lint", "--json").json
    assert [(f["code"], f["file"], f["line"]) for f in found] == [("env-file-differs", ".env", 1), required]
    found = cli("lint", "--json", "--variable", "PORT=9000", "--variable", "MODE=a").json
    assert [(f["code"], f["severity"]) for f in found] == [("env-file-differs", "warning")]


def test_several_files_are_joined_and_each_finding_names_its_own(cli: Cli, tmp_path: Path) -> None:
    more = "services:\n  web:\n    extends: {service: base, file: parts/base.yml}\n    pid: host\n"
    base = "services:\n  base:\n    tty: true\n    ipc: host\n"
    write(tmp_path, GOOD | {"more.yml": more, "parts/base.yml": base})
    found = cli("lint", "--json", "-f", "docker-compose.yml", "-f", "more.yml").json
    assert [(f["code"], f["file"], f["line"]) for f in found] == [
        ("no-pid", "more.yml", 4),
        ("no-ipc", "parts/base.yml", 4),
    ]


def test_a_symbolic_link_as_a_volume_is_refused(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    volumes: ['./link/a:/a']\n"})
    (tmp_path / "link").symlink_to("/etc")
    assert [f["code"] for f in cli("lint", "--json").json] == ["volume-link"]


def test_a_waived_rule_is_a_warning(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    cap_drop: [ALL]\n"})
    assert cli("lint").code == 1
    done = cli("lint", "--waived", "no-cap-drop", "--json")
    assert (done.code, [f["severity"] for f in done.json]) == (0, ["warning"])


@pytest.mark.parametrize("command", [("lint", "--json"), ("render", "-e", "staging", "--offline")])
def test_a_strict_rule_is_an_error_as_it_is_on_the_server(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    write(
        tmp_path, GOOD | {"web.env": "A=1\n", "docker-compose.yml": f"{COMPOSE}    env_file: web.env\n    tty: true\n"}
    )
    assert cli(*command).code == 0
    assert cli(*command, "--strict", "hostname").code == 0
    done = cli(*command, "--strict", "hostname", "--strict", "env-file")
    assert done.code == 1
    assert "The variables come from the commit" in done.out + done.err
    assert cli("lint", "--strict", "nonsense").err.startswith("error: nonsense is no warning of the Compose file.")


def test_a_project_name_that_is_too_long_is_told(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (finding,) = cli("lint", "--json", "-p", "group/" + "x" * 27).json
    assert finding["code"] == "project-name"


def test_render_prints_the_stack_as_the_options_tell(cli: Cli, server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    environment: {{L: '${{LEVEL}}'}}\n"})
    done = cli("render", "-e", "staging", "--variable", "LEVEL=high")
    stack = yaml.safe_load(done.out)
    assert done.code == 0
    assert stack["services"]["web"]["environment"] == {"L": "high"}
    assert stack["services"]["web"]["image"] == f"registry.example.org/group/project:{'0' * 40}"
    assert stack["networks"] == {"default": {"external": True, "name": "cabestan-0-group-project-staging-net"}}
    assert "no server was asked" in done.err
    assert server.asked == []


@pytest.mark.parametrize(("base", "port"), [("cabestan/nginx", "8000"), ("somebody/nginx:1", "port-of-the-image")])
def test_render_shows_the_port_that_the_dockerfile_tells(cli: Cli, tmp_path: Path, base: str, port: str) -> None:
    labels = "    labels: ['traefik.frontend.rule=Host:${CI_ENVIRONMENT_DOMAIN}']\n"
    write(tmp_path, GOOD | {"Dockerfile": f"FROM {base}\nUSER 1001\n", "docker-compose.yml": COMPOSE + labels})
    done = cli("render", "-e", "staging")
    assert done.code == 0, done.err
    shown = yaml.safe_load(done.out)["services"]["web"]["deploy"]["labels"]
    assert [value for label, value in shown.items() if label.endswith(".server.port")] == [port]


def test_render_prints_nothing_of_a_file_that_is_refused(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    privileged: true\n"})
    done = cli("render", "-e", "staging")
    assert (done.code, done.out) == (1, "")
    assert "docker-compose.yml:4:5: error: privileged" in done.err


def server_with_settings(server: FakeServer) -> None:
    at = "/projects/shop/api"
    there = {"name": "staging", "domain": "shop.example.net", "compose_files": ["compose.prod.yml"]}
    server.on("GET", f"{at}/environments/staging", there)
    server.lists(
        f"{at}/environments/staging/variables",
        {"name": "LEVEL", "secret": False, "value": "middle"},
        {"name": "MASKED", "secret": False, "value": None},
        {"name": "KEY", "secret": True},
    )
    server.lists(f"{at}/waivers", {"code": "no-cap-drop"})


def test_render_asks_the_server_of_a_project(cli: Cli, server: FakeServer, tmp_path: Path) -> None:
    server_with_settings(server)
    keys = "    cap_drop: [ALL]\n    environment: {L: '${LEVEL}', K: '${KEY}', D: '${CI_ENVIRONMENT_DOMAIN}'}\n"
    write(tmp_path, GOOD | {"compose.prod.yml": COMPOSE + keys})
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "remote", "add", "origin", f"{server.url}/shop/api.git"], check=True)
    done = cli("render", "-e", "staging")
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["services"]["web"]["environment"] == {
        "D": "shop.example.net",
        "K": "${CABESTAN_SECRET_KEY}",
        "L": "middle",
    }
    assert "cap_drop is not allowed" in done.err
    assert Asked("GET", "/projects/shop/api/environments/staging") in server.asked
    named = cli("render", "-e", "staging", "-f", "docker-compose.yml")
    assert "environment" not in yaml.safe_load(named.out)["services"]["web"]


def test_render_offline_asks_nobody(cli: Cli, server: FakeServer, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert cli("render", "-e", "staging", "-p", "shop/api", "--offline").code == 0
    assert server.asked == []


def test_render_of_an_environment_that_is_not_there_is_refused(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert cli("render", "-e", "nowhere", "-p", "shop/api").code == 3


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "Dockerfile").unlink()
    os.mkfifo(tmp_path / "Dockerfile")
    done = cli("lint")
    assert done.code == 2
    assert "Dockerfile is no regular file" in done.err


def in_git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_links_to_compose_file_and_dockerfile_are_followed_and_those_out_of_the_project_named(
    cli: Cli, tmp_path: Path
) -> None:
    write(tmp_path, {"docker/Dockerfile.prod": DOCKERFILE, "deploy/compose.yml": f"{COMPOSE}    privileged: true\n"})
    (tmp_path / "Dockerfile").symlink_to("docker/Dockerfile.prod")
    (tmp_path / "docker-compose.yml").symlink_to("deploy/compose.yml")
    (error,) = cli("lint", "--json").json
    assert (error["code"], error["file"], error["line"]) == ("no-privileged", "docker-compose.yml", 4)
    (tmp_path / "docker-compose.yml").unlink()
    (tmp_path / "docker-compose.yml").symlink_to(tmp_path.parent / "elsewhere.yml")
    (tmp_path.parent / "elsewhere.yml").write_text(COMPOSE)
    (error,) = cli("lint", "--json").json
    assert (error["code"], error["file"]) == ("link-refused", "docker-compose.yml")
    assert "which leads out of the repository" in error["message"]


def test_links_out_of_the_project_in_the_place_of_files_that_services_get_are_named(cli: Cli, tmp_path: Path) -> None:
    more = "    env_file: conf/web.env\n    configs: [page]\nconfigs: {page: {file: page.html}}\n"
    write(tmp_path, GOOD | {"docker-compose.yml": COMPOSE + more})
    (tmp_path.parent / "web.env").write_text("A=1\n")
    (tmp_path / "conf").symlink_to("..")
    (tmp_path / "page.html").symlink_to("nowhere")
    errors = [one for one in cli("lint", "--json").json if one["severity"] == "error"]
    assert [(one["code"], one["file"], one["line"], one["message"]) for one in errors] == [
        ("link-refused", "docker-compose.yml", 4, "conf is a symbolic link to .., which leads out of the repository."),
        ("link-refused", "docker-compose.yml", 6, "page.html is a symbolic link to nowhere, where there is no file."),
    ]


def test_what_git_ignores_is_not_there_for_a_build(cli: Cli, tmp_path: Path) -> None:
    files = {"Dockerfile": f"{DOCKERFILE}COPY dist new /a/\n", "dist/app.js": "", "new/b": "", ".gitignore": "dist\n"}
    write(tmp_path, GOOD | files)
    assert cli("lint").code == 0
    in_git(tmp_path, "init", "--quiet")
    (error,) = cli("lint", "--json").json
    assert (error["code"], error["file"], error["line"]) == ("copy-missing", "Dockerfile", 3)
    assert error["message"] == "The commit has no dist in the repository, which the image is built from."


def test_submodules_and_pointers_of_git_lfs_in_a_working_copy_are_told(cli: Cli, tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'5' * 64}\nsize 300000\n"
    write(tmp_path, GOOD | {".gitmodules": '[submodule "theme"]\n\tpath = theme\n', "logo.bin": pointer})
    in_git(tmp_path, "init", "--quiet")
    in_git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},theme")
    told = [(one["code"], one["severity"], one["file"], one["line"]) for one in cli("lint", "--json").json]
    assert told == [("submodule", "error", ".gitmodules", 2), ("lfs-pointer", "error", "logo.bin", 1)]


def test_files_that_git_will_hand_over_to_lfs_are_told_although_they_are_whole_here(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {".gitattributes": "*.bin filter=lfs\n", "logo.bin": "whole"})
    in_git(tmp_path, "init", "--quiet")
    told = [(one["code"], one["severity"], one["file"], one["line"]) for one in cli("lint", "--json").json]
    assert told == [("lfs-filter", "warning", ".gitattributes", 1)]
    in_git(tmp_path, "config", "filter.lfs.clean", "git-lfs clean -- %f")
    told = [(one["code"], one["severity"], one["file"], one["line"]) for one in cli("lint", "--json").json]
    assert told == [("lfs-pointer", "error", "logo.bin", 1)]


def test_line_ends_that_git_makes_those_of_unix_are_not_warned_of(cli: Cli, tmp_path: Path) -> None:
    files = GOOD | {"Dockerfile": f'{DOCKERFILE}ENTRYPOINT ["/home/app/start.sh"]\n'}
    write(tmp_path, files)
    (tmp_path / "start.sh").write_bytes(b"#!/bin/sh\r\nserve\r\n")
    assert [one["code"] for one in cli("lint", "--json").json] == ["script-line-ends"]
    write(tmp_path, {".gitattributes": "* text=auto\n"})
    assert cli("lint", "--json").json == []


def test_a_folder_without_a_compose_file_is_told_that_nothing_is_deployed(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": DOCKERFILE, "compose.prod.yml": COMPOSE})
    done = cli("lint")
    assert done.code == 0
    assert "warning: There is no Compose file, so images are built and nothing is deployed." in done.out
    assert "cabestan environment set ENV --compose-file compose.prod.yml" in done.out


ASKING = f"""{COMPOSE}\
    command: serve ${{LEVEL}} ${{PORT:-80}}
    environment:
      - PLAIN
      - GIVEN
      - URL=postgres://${{POSTGRES_HOST:-}}${{DB_PASSWORD:?the database's}}@${{CI_ENVIRONMENT_DOMAIN}}
    secrets: [API_KEY]
"""


def test_what_the_server_must_have_is_listed_and_nothing_of_it_fails(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": ASKING})
    done = cli("lint", "-e", "staging", "--variable", "GIVEN=1")
    assert done.code == 0
    assert done.out.partition("\nThe server must have for staging:\n")[2] == (
        "  LEVEL        docker-compose.yml:4  variable or secret, empty where it is missing\n"
        "  DB_PASSWORD  docker-compose.yml:8  variable or secret, required: the database's\n"
        "  PLAIN        docker-compose.yml:6  variable or secret, empty where it is missing\n"
        "  API_KEY      docker-compose.yml:9  secret, required\n"
    )


def test_what_only_the_server_can_know_and_must_have_is_warned_of(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"docker-compose.yml": f"{COMPOSE}    command: ${{NAME:?say which}} ${{HERE:?}}\n"})
    write(tmp_path, {".env": "HERE=1\n"})
    told = [(one["code"], one["severity"], one["file"], one["line"]) for one in cli("lint", "--json").json]
    assert told == [
        ("env-file-differs", "warning", ".env", 1),
        ("variable-required", "warning", "docker-compose.yml", 4),
    ]
    assert "production must have NAME: say which." in cli("lint").out
    assert cli("lint", "--variable", "NAME=1", "--variable", "HERE=1", "--json").json == []


def test_a_required_variable_of_an_extended_file_is_no_error_either(cli: Cli, tmp_path: Path) -> None:
    base = "services: {base: {environment: {A: '${NAME:?}'}}}\n"
    files = {"docker-compose.yml": f"{COMPOSE}    extends: {{file: common/base.yml, service: base}}\n"}
    write(tmp_path, GOOD | files | {"common/base.yml": base})
    (warning,) = cli("lint", "--json").json
    assert (warning["code"], warning["file"]) == ("variable-required", "common/base.yml")
