"""The page of what applications say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from tests.engine.world import World
from tests.web.client import asking, sign_in

from cabestan.domain.access import Role
from cabestan.domain.journal import Line, Origin, Position, Said, Source
from cabestan.store.journal import JournalWriter, Taken
from cabestan.web.pages.ansi import PAGE_LIMIT
from cabestan.web.pages.journal_blocks import blocks, folded

AT = "/shop/api/environments/staging/logs"
WEB, WORKER = Source("web", Origin.SERVICE, 2, 7, "aaa"), Source("worker", Origin.SERVICE, 1, 7, "bbb")
FIRST = 1_796_080_392


def said(writer: JournalWriter, *texts: str, source: Source = WEB, **what: bool) -> None:
    start = FIRST + writer.next_number
    lines = [(source, Said((start + place) * 10**9, what.get("error", False), text.encode(),
              continued=what.get("continued", False))) for place, text in enumerate(texts)]  # fmt: skip
    writer.append(Taken(lines, {source.container: Position()}))


def line(number: int, text: str, source: Source = WEB, *, continued: bool = False) -> Line:
    return Line(number, number * 10**9, source, text.encode(), continued=continued)


@pytest.fixture
def writer(world: World) -> Iterator[JournalWriter]:
    environment = world.environment(world.project(), "staging")
    world.user("reporter", shop=Role.REPORTER)
    world.user("foreign", other=Role.MAINTAINER)
    made = world.services.journals.writer(environment.id)
    yield made
    made.close()


@pytest.fixture
def client(world: World, writer: JournalWriter) -> Iterator[httpx.Client]:
    with asking(world) as asked:
        sign_in(asked, world, "reporter")
        yield asked


def page(client: httpx.Client, address: str = AT) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="l-(\d+)"', html)]


def test_a_trace_is_one_block_also_where_another_speaks_in_between() -> None:
    rest = line(3, "  File x", continued=True), line(4, "E: y", continued=True)
    first, other = blocks([line(1, "Traceback"), line(2, "hello", WORKER), *rest])
    assert [[piece.text for piece in row] for row in first.rows] == [["Traceback"], ["  File x"], ["E: y"]]
    assert (other.source, first.more) == ("worker.1", ())


def test_a_long_trace_is_folded_after_some_lines() -> None:
    (block,) = blocks([line(1, "Traceback"), *(line(n, f"  {n}", continued=True) for n in range(2, 18))])
    assert (len(block.shown), len(block.more)) == (5, 12)


def test_a_continued_line_whose_beginning_is_not_on_the_page_stands_alone() -> None:
    assert [block.number for block in blocks([line(9, "  File x", continued=True)])] == [9]


def test_a_release_is_told_where_a_container_has_another_one() -> None:
    newer = WEB._replace(release=8, container="ccc")
    found = blocks([line(1, "a"), line(2, "b", WORKER), line(3, "c", newer), line(4, "d", newer)])
    assert [block.starts for block in found] == [0, 0, 8, 0]
    former = blocks([line(1, "a"), line(2, "b", newer), line(3, "c"), line(4, "d"), line(5, "e", newer)])
    assert [block.starts for block in former] == [0, 8, WEB.release, 0, 8]


def test_the_text_of_one_page_is_bounded() -> None:
    found = blocks([line(1, "x" * 9000), *(line(n, "y" * 9000) for n in range(2, 60))])
    assert sum(len(piece.text) for block in found for row in block.rows for piece in row) < PAGE_LIMIT + 5000
    assert found[-1].rows[0][0].text.startswith("… not shown here")


def test_json_is_told_by_level_and_message_first() -> None:
    found = folded({"time": "x", "n": 1, "msg": "paid", "user": {"id": 4}, "level": "error"})
    assert (found.level, found.tone, found.message, found.rest) == ("error", "bad", "paid", "n=1 user.id=4")
    assert [(field.name, field.wanted) for field in found.fields][1:4] == [
        ("n", "n=1"), ("msg", "msg=paid"), ("user.id", "user.id=4")
    ]  # fmt: skip


def test_what_is_said_is_shown_and_never_obeyed(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "<script>alert(1)</script>", '{"msg": "<b>", "<i>": "<u>"}', "\x1b[31mred\x1b[0m")
    html = page(client)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "<u>" not in html
    assert "<i>" not in html
    assert "&lt;u&gt;" in html
    assert '<span class="fg1">red</span>' in html
    assert 'style="' not in html


def test_standard_error_and_the_platforms_notes_are_told_in_words(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "boom", error=True)
    said(writer, "(9 lines dropped)", source=WEB._replace(origin=Origin.PLATFORM))
    html = page(client)
    assert '<abbr title="standard error">err</abbr>' in html
    assert '<abbr title="told by Cabestan">note</abbr>' in html


def test_a_value_in_json_leads_to_the_lines_with_it(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, '{"msg": "in", "user": {"id": 4}}', '{"msg": "in", "user": {"id": 5}}')
    html = page(client)
    assert f'href="{AT}?field=user.id%3D4"' in html
    assert numbers(page(client, f"{AT}?field=user.id%3D4")) == [1]


def test_the_filter_is_in_the_address_and_in_the_form(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "alpha", "beta")
    said(writer, "alpha", source=WORKER)
    html = page(client, f"{AT}?service=web&regexp=al.ha&since=&until=&replica=")
    assert numbers(html) == [1]
    assert 'value="al.ha"' in html
    assert 'value="web" checked' in html
    assert 'value="worker">' in html
    assert "?service=web&amp;regexp=al.ha" in html


def test_a_wrong_expression_or_time_is_told_in_the_page(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "alpha")
    html = page(client, f"{AT}?regexp=(")
    assert 'id="trouble"' in html
    assert "needs a backslash before" in html
    assert 'value="("' in html
    assert "is no time" in page(client, f"{AT}?since=yesterday")
    assert "is no time" in page(client, f"{AT}?at=yesterday")


def test_a_moment_shows_what_was_said_around_it(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, *map(str, range(1, 401)))
    html = page(client, f"{AT}?at=200")
    assert numbers(html) == list(range(100, 301))
    assert re.findall(r'class="said selected" id="l-(\d+)"', html) == ["200"]
    assert "data-live" not in html
    assert numbers(page(client, f"{AT}?at=2026-11-30T23:16:32Z"))[100] == 200


def test_the_mark_of_a_line_in_a_trace_is_on_its_block(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "Traceback")
    said(writer, "  File x", continued=True)
    assert 'class="said selected" id="l-1"' in page(client, f"{AT}?at=2")


def test_one_goes_back_and_forth(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, *map(str, range(1, 501)))
    newest = page(client)
    assert numbers(newest) == list(range(301, 501))
    assert "data-live" in newest
    assert f"{AT}?before=301" in newest
    assert "?from=" not in newest
    older = page(client, f"{AT}?before=301")
    assert numbers(older) == list(range(101, 301))
    assert "data-live" not in older
    assert f"{AT}?from=301" in older
    newer = page(client, f"{AT}?from=301")
    assert numbers(newer) == list(range(301, 501))
    oldest = page(client, f"{AT}?before=101")
    assert numbers(oldest) == list(range(1, 101))
    assert "?before=" not in oldest


def test_what_comes_is_rendered_as_the_rest(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, *map(str, range(1, 251)))
    html = page(client, f"{AT}/rows?from=1")
    assert numbers(html) == list(range(1, 201))
    assert 'data-next="201"' in html
    assert "data-whole" not in html
    html = page(client, f"{AT}/rows?from=201")
    assert numbers(html) == list(range(201, 251))
    assert 'data-next="251" data-whole' in html


def test_nothing_said_and_nothing_found_are_told_apart(client: httpx.Client, writer: JournalWriter) -> None:
    assert "Nothing was said here yet" in page(client)
    said(writer, "alpha")
    html = page(client, f"{AT}?service=web&regexp=omega")
    assert "Nothing matches of web, with <code>omega</code>" in html
    assert f'<a href="{AT}">show everything</a>' in html


def test_the_download_has_what_the_page_asks_for(client: httpx.Client, writer: JournalWriter) -> None:
    said(writer, "<alpha>", "beta", error=True)
    answer = client.get(f"{AT}.txt?regexp=alpha")
    assert answer.text == "2026-11-30T23:13:13.000000000Z web.2 stderr | <alpha>\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="shop-api-staging.log"'


def test_the_environments_page_leads_to_its_logs(client: httpx.Client) -> None:
    assert f'href="{AT}"' in page(client, "/shop/api/environments/staging")


@pytest.mark.parametrize("address", [AT, f"{AT}/rows", f"{AT}.txt"])
def test_strangers_find_no_logs(world: World, writer: JournalWriter, address: str) -> None:
    said(writer, "alpha")
    with asking(world) as client:
        assert client.get(address).status_code == 303
        sign_in(client, world, "foreign")
        answer = client.get(address)
    assert answer.status_code == 404
    assert "alpha" not in answer.text
