import pytest

from cabestan.domain.environment import DEFAULT_BRANCH
from cabestan.web.pages.templating import branches, prose, size, split_list


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    assert prose("Run `cabestan cron log 2`, <b>then</b> `a`.") == (
        "Run <code>cabestan cron log 2</code>, &lt;b&gt;then&lt;/b&gt; <code>a</code>."
    )


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
