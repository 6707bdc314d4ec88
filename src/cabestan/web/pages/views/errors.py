"""An error as a page."""

from dataclasses import dataclass

_HEADINGS = {
    400: "That cannot be understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not here",
    409: "Not in this state",
    413: "Too large",
    422: "Not valid",
    503: "Not available now",
}


@dataclass(frozen=True)
class ErrorPage:
    """`back` is where the person came from, when that is known."""

    status: int
    heading: str
    message: str
    remedy: str
    back: str = ""


def error_page(status: int, message: str, remedy: str, back: str = "") -> ErrorPage:
    return ErrorPage(status, _HEADINGS.get(status, "Something went wrong"), message, remedy, back)
