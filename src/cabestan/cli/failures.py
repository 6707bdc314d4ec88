"""How a command can fail, and the exit codes that tell these apart."""

from collections.abc import Sequence
from typing import Any

from cabestan.errors import CabestanError, NotSignedIn

#: what was asked did not succeed
EXIT_FAILED = 1
#: the command could not be carried out as it was given; also what Typer ends with for a wrong option
EXIT_UNABLE = 2
#: the server said no
EXIT_REFUSED = 3
#: no server answered
EXIT_UNREACHABLE = 4


class Unsuccessful(CabestanError):
    """It was done, and ended badly: a deployment that failed, a job that was canceled."""

    code = "unsuccessful"


class Unable(CabestanError):
    """The command itself could not run: a file that is missing or cannot be read."""

    code = "unable"


class Refused(CabestanError):
    """The server said no. `details` are findings in files, as docs/api.md has them."""

    code = "refused"

    def __init__(self, message: str, remedy: str = "", details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message, remedy)
        self.details = tuple(details)


class Unreachable(CabestanError):
    """No server answers, or the one that does is not able to work at present."""

    code = "unreachable"


def exit_code(error: CabestanError) -> int:
    if isinstance(error, Unreachable):
        return EXIT_UNREACHABLE
    if isinstance(error, Unable):
        return EXIT_UNABLE
    return EXIT_REFUSED if isinstance(error, Refused | NotSignedIn) else EXIT_FAILED
