"""The example projects are what their README and the rules say, without pushing them."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, links

from cabestan.adapters.images import catalogue
from cabestan.compose.findings import ComposeRefused
from cabestan.compose.load import load
from cabestan.pipeline.dockerfile import parse_dockerfile

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
DOCKERFILES = [file for folder in EXAMPLES for file in sorted(folder.glob("Dockerfile*"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "examples"))


def environment(folder: Path) -> dict[str, str]:
    """What `.env` gives in development."""
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_page_links_each_of_them() -> None:
    linked = [link for link in links(ROOT / "docs/examples.md") if link.startswith("../examples/")]
    assert sorted(linked) == [f"../examples/{folder.name}/README.md" for folder in EXAMPLES]


@pytest.mark.parametrize("folder", EXAMPLES, ids=name_of)
def test_each_has_what_a_project_has(folder: Path) -> None:
    wanted = {"Dockerfile", "docker-compose.yml", ".env", ".dockerignore", "README.md"}
    assert wanted - {path.name for path in folder.iterdir()} == set()
    assert (folder / "README.md").read_text().startswith(f"# {folder.name}\n")


@pytest.mark.parametrize("file", DOCKERFILES, ids=name_of)
def test_a_dockerfile_begins_with_the_catalogue_and_ends_as_user_1001(file: Path) -> None:
    text = file.read_text()
    known = {recipe.reference for recipe in catalogue(ROOT / "images")}
    assert set(parse_dockerfile(text).bases) <= known
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE)[-1:] == ["1001"]
    assert re.findall(r"^(?:VOLUME|ADD) ", text, re.MULTILINE) == []


@pytest.mark.parametrize("folder", [f for f in EXAMPLES if f.name != "refused"], ids=name_of)
def test_the_compose_file_loads_with_the_variables_of_development(folder: Path) -> None:
    given = environment(folder)
    text = (folder / "docker-compose.yml").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) - set(given) == set()
    loaded = load(text, "docker-compose.yml", given)
    assert (loaded.warnings, text.startswith("# this file is good to go for production\n")) == ((), True)


def test_the_refused_one_is_refused_in_the_ten_ways_that_it_announces() -> None:
    folder = ROOT / "examples/refused"
    text = (folder / "docker-compose.yml").read_text()
    announced = re.findall(r"# (\d+)\. ([a-z-]+):", text)
    with pytest.raises(ComposeRefused) as refused:
        load(text, "docker-compose.yml", environment(folder))
    errors = [finding for finding in refused.value.findings if finding.severity == "error"]
    found = [finding.code for finding in sorted(errors, key=lambda finding: finding.line)]
    assert [(str(number), code) for number, code in enumerate(found, 1)] == announced
    assert re.findall(r"^\| `([a-z-]+)` \|", (folder / "README.md").read_text(), re.MULTILINE) == found
    assert len(found) == 10
