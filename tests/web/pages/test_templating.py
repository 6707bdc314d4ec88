from pathlib import Path

import pytest
from tests.engine.world import World
from tests.web.client import asking, token

import cabestan.web
from cabestan.cli.command_tree import PLACES
from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.web.pages.instead import _PAGES
from cabestan.web.pages.templating import branches, prose, size, split_list

TEMPLATES = Path(cabestan.web.__file__).parent / "templates"


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    assert prose("Run `cabestan cron log 2`, <b>then</b> `a`.") == (
        "Run <code>cabestan cron log 2</code>, &lt;b&gt;then&lt;/b&gt; <code>a</code>."
    )


@pytest.mark.parametrize(
    ("text", "project", "page"),
    [
        ("`cabestan project list` shows yours.", "", '<a href="/">The first page</a> shows yours.'),
        (
            "No. `cabestan release list -p a/b` shows them.",
            "",
            'No. <a href="/a/b/releases">The page Releases</a> shows them.',
        ),
        (
            "Wait: `cabestan pipeline list` shows them.",
            "a/b",
            'Wait: <a href="/a/b/pipelines">the page Pipelines</a> shows them.',
        ),
        ("`cabestan pipeline list` shows them.", "", "<code>cabestan pipeline list</code> shows them."),
        ("`cabestan user list` shows them.", "a/b", "<code>cabestan user list</code> shows them."),
        (
            "`cabestan deployment list -p a/b -e x` shows it.",
            "",
            '<a href="/a/b/deployments">The page Deployments</a> shows it.',
        ),
        (
            '`cabestan release list -p a"><b>` shows it.',
            "",
            "<code>cabestan release list -p a&#34;&gt;&lt;b&gt;</code> shows it.",
        ),
    ],
)
def test_a_command_that_lists_is_a_link_to_the_page_that_does(text: str, project: str, page: str) -> None:
    assert prose(text, project) == page


def test_every_page_in_place_of_a_command_is_there_and_every_command(world: World) -> None:
    made, shown = world.project(), world.user("admin", admin=True)
    with asking(world, **token(shown.name)) as client:
        for noun, (address, _) in _PAGES.items():
            assert client.get(address.format(f"/{made.name}")).status_code == 200, noun
            assert noun in PLACES


#: words that say nothing where they stand, and had been there
EMPTY_WORDS = ("as it was, else", "Set one", "Those of", "Click here", "click here")


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_page_has_words_that_need_another_page_to_be_understood(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert [words for words in EMPTY_WORDS if words in text] == []


def test_a_lone_backtick_stays() -> None:
    assert prose("a ` b") == "a ` b"


def test_what_a_form_shows_of_branches_and_what_is_typed_into_it_fit_together() -> None:
    patterns = (DEFAULT_BRANCH, "release/*")
    assert branches(patterns) == "(default branch), release/*"
    assert split_list(branches(patterns)) == patterns
    assert split_list(" main,main  release/* ,") == ("main", "release/*")


@pytest.mark.parametrize(
    ("bytes_", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 50, "3072.0 TiB")]
)
def test_sizes_are_told_in_the_largest_unit_below(bytes_: int, words: str) -> None:
    assert size(bytes_) == words
