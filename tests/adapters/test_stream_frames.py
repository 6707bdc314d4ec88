"""The engine's frames, taken apart wherever the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cabestan.adapters.stream_frames import Unframer


def framed(kind: int, data: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=300)), max_size=8),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_the_bytes_come_in_order_however_the_stream_is_cut(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(framed(kind, data) for kind, data in frames)
    unframer, bare, position, turn = Unframer(), b"", 0, 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        bare += unframer.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert bare == b"".join(data for _, data in frames)
