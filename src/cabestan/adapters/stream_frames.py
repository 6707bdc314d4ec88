"""The engine's stream of a container without a terminal: frames, each with a head of eight bytes."""

_HEAD = 8


class Unframer:
    """Takes the stream in blocks of any size and gives the bare bytes, standard output and error as they came.

    A head is one byte for the kind of output, three of zero, and four for the length, the highest first.
    """

    def __init__(self) -> None:
        self._head = b""
        #: bytes of the present frame that are still to come
        self._left = 0

    def feed(self, block: bytes) -> bytes:
        bare = []
        position = 0
        while position < len(block):
            if self._left:
                piece = block[position : position + self._left]
                bare.append(piece)
                self._left -= len(piece)
                position += len(piece)
            else:
                missing = _HEAD - len(self._head)
                self._head += block[position : position + missing]
                position += missing
                if len(self._head) == _HEAD:
                    self._left, self._head = int.from_bytes(self._head[4:], "big"), b""
        return b"".join(bare)
