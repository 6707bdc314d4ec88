import pytest

from cabestan.domain.plain_text import plain_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is\n", "as it is"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x9b2Jcleared", "cleared"),
        ("10 %\r 20 %\r100 %\r\n", "100 %"),
        ("a\tb", "a   b"),
        ("to the \u202eleft", "to the [U+202E]left"),
        ("back\x08space and \x07bell", "back[U+0008]space and bell"),
        ("x" * 11, "x" * 9 + "…"),
    ],
)
def test_a_line_of_others_is_what_is_read_in_the_end(text: str, shown: str) -> None:
    assert plain_line(text, 30 if "x" not in text else 10) == shown
