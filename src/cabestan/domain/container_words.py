"""What a container says of itself, and what its engine says of it: its health check, its output, where it listens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FailedCheck:
    """A health check that was bad when it was last asked, and before that `times` together without a good one between.

    `asked` is its command; `said` its last lines.
    """

    asked: str
    exit_code: int
    times: int
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContainerWords:
    """`output` are its last lines."""

    output: tuple[str, ...] = ()
    check: FailedCheck | None = None
    out_of_memory: bool = False

    @property
    def why(self) -> str:
        """What is known beside its own output of why it ended; empty where nothing is."""
        said = []
        if self.check:
            said.append(f"its health check failed (exit code {self.check.exit_code}): {' '.join(self.check.said)}")
        if self.out_of_memory:
            said.append("it used more memory than it may")
        return "; ".join(said)


@dataclass(frozen=True, order=True)
class Listener:
    """A port that a container takes connections at; `inside`: only those that come from itself."""

    port: int
    inside: bool = False

    def __str__(self) -> str:
        return f"127.0.0.1:{self.port}" if self.inside else str(self.port)
