"""What others wrote stands in pages as what it is."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes
from tests.web.pages.samples import VISITOR

import cabestan.web
from cabestan.domain.unseen import UNSEEN
from cabestan.web.pages.frame import plain_frame
from cabestan.web.pages.marking import marked, placed
from cabestan.web.pages.templating import Renderer

TEMPLATES = sorted((Path(cabestan.web.__file__).parent / "templates").rglob("*.html"))
RLO, HEBREW = "\u202e", "\u05e9\u05dc\u05d5\u05dd"
MARK = '<span class="unseen" title="right-to-left override">U+202E</span>'


def page(source: str, **values: str) -> str:
    return marked(Environment(autoescape=True, finalize=placed).from_string(source).render(**values))


@pytest.mark.parametrize(
    ("source", "text", "shown"),
    [
        ("<p>{{ x }}</p>", f"a{RLO}b", f"<p>a{MARK}b</p>"),
        ("<p>{{ x }}</p>", "<b>\x9b", '<p>&lt;b&gt;<span class="unseen" title="control character">U+009B</span></p>'),
        ('<a title="{{ x }}" href="/{{ x }}">b</a>', f"a{RLO}", f'<a title="a[U+202E]" href="/a{RLO}">b</a>'),
        ('<input value="{{ x }}" aria-label="{{ x }}">', RLO, f'<input value="{RLO}" aria-label="[U+202E]">'),
        ("<title>{{ x }}</title>", f"a{RLO}", "<title>a[U+202E]</title>"),
        ('<option value="{{ x }}">{{ x }}</option>', RLO, f'<option value="{RLO}">[U+202E]</option>'),
        ("<textarea>{{ x }}</textarea>", f"a{RLO}", f"<textarea>a{RLO}</textarea>"),
        ("<p>by {{ x }} at 3</p>", HEBREW, f"<p>by <bdi>{HEBREW}</bdi> at 3</p>"),
        ('<a title="by {{ x }}">b</a>', HEBREW, f'<a title="by \u2068{HEBREW}\u2069">b</a>'),
        ('<input value="{{ x }}">', HEBREW, f'<input value="{HEBREW}">'),
        ("<textarea>{{ x }}</textarea>", HEBREW, f"<textarea>{HEBREW}</textarea>"),
        ("<p>{{ x }}</p>", RLO * 3, f"<p>{MARK.replace('2E<', '2E ×3<')}</p>"),
        ("<p>{{ x }}</p>", "\ufdd1\ufdd0", "<p>\ufffd\ufffd</p>"),
        ("<p>{{ x }}</p>", "Zażółć 👩\u200d💻\n", "<p>Zażółć 👩\u200d💻\n</p>"),
    ],
)
def test_a_text_stands_in_a_page_as_what_it_is(source: str, text: str, shown: str) -> None:
    assert page(source, x=text) == shown


class Texts(HTMLParser):
    """All that a browser would show of a page's text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(exclude_characters="\r") | st.sampled_from([RLO, "\u2066", "\x1b", ">", '"', HEBREW[0]])))
def test_no_text_is_ever_obeyed_and_no_tag_is_ever_broken(text: str) -> None:
    parsed = Texts(page('<p><a title="{{ x }}" href="{{ x }}">{{ x }}</a></p><i id="end">.</i>', x=text))
    assert not UNSEEN.search(parsed.text)
    assert parsed.text.endswith(".")


def test_marks_do_not_make_a_large_page_of_a_small_text() -> None:
    shown = page("<p>{{ x }}</p>", x=f"{RLO}\u2066" * 100_000)
    assert shown.count("<span") == 1000
    assert len(shown) < 300_000
    assert not UNSEEN.search(shown)


def test_every_page_goes_through_it() -> None:
    """Whatever a template writes comes by the one environment, and by the one way from there to an answer."""
    frame = plain_frame(VISITOR, f"Evil{RLO}title")
    shown = Renderer("1")("search.html", frame, query=f"q{RLO}\u009b", kinds=(), pipelines=(), looked_at=1)
    assert "<title>Evil[U+202E]title" in shown
    assert f"Found for “q{MARK}" in shown
    assert not UNSEEN.search(shown)
    web = Path(cabestan.web.__file__).parent
    makers = [
        file.name for file in web.rglob("*.py") if re.search(r"\bHTMLResponse\(|\.get_template\(", file.read_text())
    ]
    assert sorted(makers) == ["answers.py", "templating.py"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_calls_its_text_safe_or_hides_it_where_it_is_not_looked_for(template: Path) -> None:
    tree = Environment().parse(template.read_text())
    assert not [one for one in tree.find_all(nodes.Filter) if one.name == "safe"]
    assert not list(tree.find_all(nodes.ScopedEvalContextModifier))
    assert not re.search(r"<(script|style)\b[^>]*>[^<]", template.read_text())
    shown = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", template.read_text(), flags=re.DOTALL)
    assert re.sub(r"<[^<>]*>", "", shown).count("<") == 0
