"""Links lead somewhere, settings exist, examples load."""

import re
from pathlib import Path

import pytest
import yaml
from tests.docs.pages import PAGES, ROOT, Block, anchors, blocks, links, name_of, spans

from cabestan.compose.library import SourceFile
from cabestan.compose.load import load_files
from cabestan.config import Settings

FURTHER = {"common/base.yml": "services: {base: {labels: {team: shop}}}\n"}
VARIABLES = {
    "CI_REGISTRY_IMAGE": "127.0.0.1:5600/demo/notes",
    "CI_COMMIT_SHA": "0" * 40,
    "CI_ENVIRONMENT_NAME": "staging",
    "CI_ENVIRONMENT_DOMAIN": "staging-notes-demo.localhost",
}
#: of the command line, and what a stack's secrets are filled in by
OTHER_VARIABLES = frozenset({"CONFIG", "URL", "TOKEN", "CLIENT_CONFIG", "SECRET_NAME", "TEST_CHROMIUM"})


def compose_examples() -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.kind == "yaml" and "services:" in block.text]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"CABESTAN_([A-Z_]*[A-Z])\b", text))
    assert {name for name in named - OTHER_VARIABLES if name.lower() not in Settings.model_fields} == set()


def test_settings_named_in_text_exist() -> None:
    """Single words such as `engine_seconds` in the pages about running it: settings, or words of something else."""
    others = {"depends_on", "start_period", "endpoint_mode", "failure_action", "workflow_id"}
    named = {
        span
        for page in ("troubleshooting.md", "architecture.md")
        for span in spans(ROOT / "docs" / page)
        if re.fullmatch(r"[a-z]+_[a-z_]+", span)
    }
    assert named - others - set(Settings.model_fields) == set()


@pytest.mark.parametrize("block", compose_examples(), ids=lambda block: block.page)
def test_compose_examples_load(block: Block) -> None:
    files = [SourceFile("docker-compose.yml", block.text)]
    assert load_files(files, VARIABLES, read=FURTHER.get).warnings == ()


def test_there_are_compose_examples() -> None:
    assert "docs/tutorial.md" in {block.page for block in compose_examples()}


def test_other_yaml_examples_are_yaml() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.kind == "yaml":
                assert yaml.safe_load(block.text), block.page


def test_every_page_is_in_the_index() -> None:
    linked = set(links(ROOT / "docs/README.md"))
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if page not in linked} == set()


def test_every_decision_is_in_its_index() -> None:
    folder = ROOT / "docs/decisions"
    files = [path.name for path in sorted(folder.glob("0*.md"))]
    assert [link for link in links(folder / "README.md") if link[0] == "0"] == files
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))


def test_decisions_have_the_three_parts() -> None:
    for path in (ROOT / "docs/decisions").glob("0*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs/pictures/home.png").stat().st_size < 150_000


def test_the_page_about_the_architecture_shows_a_deployment_as_its_code_is() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    shown = page.partition("a test compares -->\n\n```python\n")[2].partition("```")[0]
    folder = ROOT / "src/cabestan/engine/deploying"
    code = [line.strip() for name in ("workflow.py", "steps.py") for line in (folder / name).read_text().splitlines()]
    lines = [line.partition("  #")[0].strip() for line in shown.splitlines()]
    assert len(lines) > 15
    assert [line for line in lines if line not in code] == []
