"""Why something ended badly, and the text that is kept of it."""

import pytest

from cabestan.domain.why import Why, headline, last_lines, of_error, shortened
from cabestan.errors import Invalid, StepFailed

WHOLE = Why("web does not come up.", ("boom", "  at line 3"), "Look at it.")


@pytest.mark.parametrize("why", [WHOLE, Why("It broke.", ("    deeper",)), Why("It broke.")])
def test_what_is_kept_as_text_is_read_back(why: Why) -> None:
    assert Why.of(why.text) == why


def test_the_text_begins_with_its_headline_and_ends_with_the_remedy() -> None:
    assert WHOLE.text == "web does not come up.\n    boom\n      at line 3\nLook at it."
    assert Why("It broke.", remedy="Try again.").text == "It broke. Try again."


def test_a_text_of_old_begins_with_its_first_line() -> None:
    assert Why.of("a.yml:1:1 No.\na.yml:2:1 Neither.") == Why("a.yml:1:1 No.", (), "a.yml:2:1 Neither.")
    assert headline("a.yml:1:1 No.\na.yml:2:1 Neither.") == "a.yml:1:1 No."


def test_an_error_of_a_step_brings_the_lines_of_what_failed() -> None:
    assert of_error(StepFailed("It died.", "Look.", ["boom"])) == Why("It died.", ("boom",), "Look.")
    assert of_error(Invalid("No.", "Write yes.")).text == "No. Write yes."


def test_last_lines_are_as_a_terminal_shows_them_and_bounded() -> None:
    assert last_lines("\x1b[31mred\x1b[0m\r\n\n  \nend\n") == ("red", "end")
    assert last_lines("\n".join(map(str, range(50))), 3) == ("47", "48", "49")


def test_a_line_is_shortened_when_no_secret_is_in_it_any_more() -> None:
    assert len(last_lines("x" * 5000)[0]) == 5000
    assert [len(line) for line in shortened(f"short\n{'x' * 5000}").split("\n")] == [5, 501]
