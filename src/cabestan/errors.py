"""Every error that a person can do something about.

A message names the thing, the place and the remedy. Errors are caught at the edges only: there they become an
HTTP status, an exit code or a failed step.
"""

from collections.abc import Sequence


class CabestanError(Exception):
    """The root of all errors that are told to a person. `remedy` says what to do about it."""

    #: stable word for tools, in API answers
    code = "error"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Invalid(CabestanError):
    """What was given is malformed, too large or unknown."""

    code = "invalid"


class TooLarge(CabestanError):
    """What was sent is larger than what is taken."""

    code = "too_large"


class TooSlow(CabestanError):
    """What was sent did not come in time."""

    code = "too_slow"


class TooMany(CabestanError):
    """More at the same time than one may have."""

    code = "too_many"


class Busy(CabestanError):
    """More at the same time than the server takes from all together."""

    code = "busy"


class NotFound(CabestanError):
    """There is no such thing, or it may not be seen."""

    code = "not_found"


class Conflict(CabestanError):
    """The present state does not allow it: a name that is taken, a deployment that has ended."""

    code = "conflict"


class NotSignedIn(CabestanError):
    """No login, or one that is no longer good."""

    code = "not_signed_in"


class Forbidden(CabestanError):
    """Signed in, but without the right to do this."""

    code = "forbidden"


class ConfigurationError(CabestanError):
    """A setting is missing, malformed or does not fit what is stored."""

    code = "configuration"


class EngineUnavailable(CabestanError):
    """The Docker Engine does not answer."""

    code = "engine_unavailable"


class RegistryUnavailable(CabestanError):
    """The image registry does not answer."""

    code = "registry_unavailable"


class StorageFull(CabestanError):
    """No room is left where the platform keeps its data."""

    code = "storage_full"


class StepFailed(CabestanError):
    """A step of a job or a deployment failed, in the words of what failed: `lines` are its own."""

    code = "step_failed"

    def __init__(self, message: str, remedy: str = "", lines: Sequence[str] = ()) -> None:
        super().__init__(message, remedy)
        self.lines = tuple(lines)


class DeadlineExceeded(StepFailed):
    """A step took longer than it may."""

    code = "deadline_exceeded"
