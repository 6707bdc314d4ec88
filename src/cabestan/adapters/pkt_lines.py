"""Git's lines with their lengths before them: what a push asks for, and our own answer to one that is not taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FLUSH = b"0000"
#: the length stands in four hexadecimal digits, which count themselves
LENGTH_BYTES = 4
_RESULT, _WORDS = b"\x01", b"\x02"
#: what is told fits into one packet of the smaller kind
_MOST = 900
#: what the author of a push sees nothing of, and what stands between takes as a sign of life
STILL_HERE = b"%04x\x02" % (LENGTH_BYTES + 1)


def pkt_line(content: bytes) -> bytes:
    return b"%04x%s" % (len(content) + LENGTH_BYTES, content)


def content_length(head: bytes) -> int | None:
    """Of the four bytes before a line; 0 for what is no line but a mark, None where they are no length."""
    try:
        length = int(head, 16) if head.isalnum() else -1
    except ValueError:
        return None
    return max(0, length - LENGTH_BYTES) if 0 <= length <= 65520 and len(head) == LENGTH_BYTES else None


@dataclass
class Commands:
    """The refs that a push wants to move, as they come line by line, and what the client understands."""

    capabilities: frozenset[str] = frozenset()
    refs: list[str] = field(default_factory=list)
    #: the commit that each is to stand at; all zeros for one that is to go
    wanted: dict[str, str] = field(default_factory=dict)
    #: what stood behind `git push -o`
    options: list[str] = field(default_factory=list)

    @property
    def in_bands(self) -> bool:
        """Whether words for the author can go along with the result."""
        return not self.capabilities.isdisjoint({"side-band-64k", "side-band"})

    @property
    def has_options(self) -> bool:
        """Whether options follow, after the refs."""
        return "push-options" in self.capabilities

    def take(self, line: bytes) -> None:
        command, _, capabilities = line.partition(b"\0")
        if not command.startswith(b"shallow "):  # each line may bring some, as Git has it
            self.capabilities |= frozenset(capabilities.decode(errors="replace").split())
        words = command.decode(errors="replace").rstrip("\n").split(" ", 2)
        if len(words) == 3 and words[0] != "push-cert":
            self.refs.append(words[2])
            self.wanted[words[2]] = words[1]

    def take_option(self, line: bytes) -> None:
        self.options.append(line.decode(errors="replace").rstrip("\n"))


def refusal(commands: Commands, lines: Iterable[str]) -> bytes:
    """The whole answer to a push that is not taken: the lines for its author, and for Git that nothing was stored."""
    report = [pkt_line(b"unpack not taken\n"), *(pkt_line(_refused(ref)) for ref in commands.refs), FLUSH]
    if not commands.capabilities & {"report-status", "report-status-v2"}:
        report = []
    if not commands.in_bands:
        return b"".join(report)
    return b"".join((*words(lines), *(pkt_line(_RESULT + part) for part in report), FLUSH))


def words(lines: Iterable[str]) -> Iterator[bytes]:
    """For the author of a push, who reads them behind `remote:`."""
    for line in lines:
        yield pkt_line(_WORDS + line.encode()[:_MOST] + b"\n")


def tells_of_an_end(packet: bytes) -> bool:
    """Whether Git says in its result that a process of its own ended before its time."""
    return packet.startswith(_RESULT) and b"abnormal exit" in packet


def result_of(packet: bytes) -> bytes:
    """What a packet has of Git's own result; nothing where it is words for the author."""
    return packet.removeprefix(_RESULT) if packet.startswith(_RESULT) else b""


def taken(result: bytes) -> tuple[str, ...]:
    """The refs that moved as they were to, by Git's own result."""
    return tuple(
        line.removeprefix(b"ok ").decode(errors="replace").rstrip("\n")
        for line in _lines(result)
        if line.startswith(b"ok ")
    )


def _lines(data: bytes) -> Iterator[bytes]:
    while length := content_length(data[:LENGTH_BYTES]):
        yield data[LENGTH_BYTES : LENGTH_BYTES + length]
        data = data[LENGTH_BYTES + length :]


def _refused(ref: str) -> bytes:
    return b"ng " + ref.encode()[:_MOST] + b" not taken\n"
