"""What a measure gives, and whether it holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

Json = dict[str, str | float | bool | None]


@dataclass(frozen=True)
class Figure:
    """`limit` bounds the ratio where there is a bare tool's value to compare with (`against`), else the value.

    `value` is None where it could not be measured; `note` says why, or how it was measured.
    """

    name: str
    value: float | None
    unit: str
    against: float | None = None
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.against if self.value is not None and self.against else None

    @property
    def holds(self) -> bool:
        """One without a limit holds; one that has a limit and was not measured does not."""
        if self.limit is None:
            return True
        bounded = self.value if self.against is None else self.ratio
        return bounded is not None and bounded <= self.limit

    def to_json(self) -> Json:
        return {
            "name": self.name,
            "value": _short(self.value),
            "unit": self.unit,
            "against": _short(self.against),
            "ratio": _short(self.ratio),
            "limit": self.limit,
            "holds": self.holds,
        }


def side_by_side(
    name: str, ours: Sequence[float], bare: Sequence[float], *, limit: float | None, note: str = ""
) -> Figure:
    """The medians of some rounds (seconds), and in the note their range."""
    words = f"median of {len(ours)} rounds each; ours {_range(ours)}, bare {_range(bare)}"
    return Figure(name, median(ours), "s", median(bare), limit, f"{words}; {note}" if note else words)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 10_000) * len(ordered) // 10_000) - 1)]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f}–{max(values):.2f}"


def _short(value: float | None) -> float | None:
    """Four decimals are more than the clocks give."""
    return None if value is None else round(value, 4)
