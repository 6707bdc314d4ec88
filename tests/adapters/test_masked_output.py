import io

import pytest

from cabestan.adapters.masked_output import MaskedOutput
from cabestan.domain.known_secrets import KnownSecrets


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def output(stream: io.StringIO) -> MaskedOutput:
    known = KnownSecrets()
    known.add("the-secret", "one line of two\nand the other")
    return MaskedOutput(stream, known)


def test_a_secret_is_masked_wherever_the_writing_of_its_line_was_cut(output: MaskedOutput, stream: io.StringIO) -> None:
    for piece in ("it is the-", "sec", "ret\nand one line of ", "two\n"):
        output.write(piece)
    assert stream.getvalue() == "it is [secret]\nand [secret]\n"


def test_a_line_is_passed_on_when_it_is_whole_and_at_the_latest_in_the_end(
    output: MaskedOutput, stream: io.StringIO
) -> None:
    output.write("begun")
    assert stream.getvalue() == ""
    output.close()
    output.close()
    assert stream.getvalue() == "begun"
    assert not stream.closed


def test_a_line_without_an_end_is_not_kept_for_ever(output: MaskedOutput, stream: io.StringIO) -> None:
    output.write("x" * (2 << 20))
    assert len(stream.getvalue()) == 2 << 20


def test_a_line_that_cannot_be_written_fails_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    output = MaskedOutput(Full(), KnownSecrets())
    assert output.write("line\n") == 5
    output.flush()
