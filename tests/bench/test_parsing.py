"""What the measures read out of streams, files and answers."""

import pytest
from bench.load import content_length
from bench.rounds import rounds
from bench.rows.followers import delays_with_all
from bench.rows.memory import resident


def test_a_line_is_with_all_when_the_last_follower_has_it() -> None:
    quick, slow = [(34, 10.1), (51, 12.2)], [(20, 10.2), (51, 12.5)]
    assert delays_with_all([10.0, 11.0, 12.0], [quick, slow]) == pytest.approx([0.2, 1.5, 0.5])


def test_a_follower_that_lacks_lines_is_told() -> None:
    with pytest.raises(RuntimeError, match="A follower has 2 of 3 lines"):
        delays_with_all([10.0, 11.0, 12.0], [[(50, 10.1)]])


def test_memory_is_the_resident_set_in_megabytes() -> None:
    assert resident("Name:\tpython\nVmPeak:\t 900000 kB\nVmRSS:\t 125000 kB\n") == 128.0


@pytest.mark.parametrize(
    ("head", "length"),
    [(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", 12), (b"HTTP/1.1 204 No Content\r\n\r\n", 0)],
)
def test_the_length_of_an_answer(head: bytes, length: int) -> None:
    assert content_length(head) == length


def test_no_further_round_begins_when_the_time_is_used_up() -> None:
    assert list(rounds(3, 60)) == [1, 2, 3]
    assert list(rounds(3, 0)) == [1]
