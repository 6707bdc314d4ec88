"""Routes: which requests lead to which service, in the words of the router, and how they are tried out."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

#: a request of this kind changes nothing, so that it may be made to see whether a route answers
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

#: a header of answers, with the mark of the route that they came by
ROUTE_HEADER = "cabestan-route"
#: the marks of the router's own pages: for names that lead nowhere, and for what is deployed and down
NO_ROUTE, DOWN_ROUTE = "none", "down"

#: from here on, statuses say that it is not the asker's fault
_FAULT = 500

#: stands for the port of an image that is not built yet
IMAGE_PORT = 0


@dataclass(frozen=True, slots=True)
class Middleware:
    """What is done to a request or an answer on its way. Kind and options are those of Traefik 3's labels."""

    #: unique among those of its route
    name: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Requests that `rule` fits go to the `port` of `service`, through the middlewares in their order.

    The rule holds for no request whose host name is not one of `claims`: names in lower case, `*.example.org` for
    all below example.org. Of several routes that fit, the one with the higher priority answers.
    """

    #: unique among the routes of a stack, of characters that a label may hold
    name: str
    service: str
    #: in the words of Traefik 3
    rule: str
    #: what the file says
    source: str
    claims: tuple[str, ...]
    #: IMAGE_PORT in previews alone
    port: int
    priority: int
    scheme: str = "http"
    #: `http` and `https`, where the file names them; empty: what the platform does with all
    entrypoints: tuple[str, ...] = ()
    middlewares: tuple[Middleware, ...] = ()
    #: of Traefik's load balancer: option and value
    options: tuple[tuple[str, str], ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The claims that are one name each."""
        return tuple(claim for claim in self.claims if not claim.startswith("*."))

    def mark(self, stack: str) -> str:
        """Another one for each definition of a route, which tells nothing of it: 16 hexadecimal digits."""
        return hashlib.sha256(repr((stack, asdict(self))).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that a route must answer. `path` begins with `/` and may hold a query.

    `marks`: of the routes that may answer it; empty where any may, as in plans of old.
    """

    host: str
    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"{self.host}{self.path}"

    def __str__(self) -> str:
        method = "" if self.method == "GET" else f"{self.method} "
        return f"{method}{self.address}"


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What came through the router. `trouble` says why nothing did; then `status` is 0.

    `reached`: the router was there. `milliseconds` went by until the answer began.
    """

    status: int = 0
    mark: str = ""
    milliseconds: float = 0
    trouble: str = ""
    reached: bool = True

    def wrong(self, wanted: Probe, status: int) -> str:
        """What is not as it should be; empty where all is. `status` is the one that is expected, 0: any below 500."""
        if self.trouble:
            return f"{wanted} {self.trouble}"
        if self.mark == NO_ROUTE:
            return f"the router has no route for {wanted}"
        if self.mark == DOWN_ROUTE:
            return f"nothing runs that {wanted} leads to"
        if not self.is_own(wanted):
            return f"{wanted} is answered by another route than its own ({self.status})"
        if status and self.status != status:
            return f"{wanted} answers {self.status} instead of {status}"
        return f"{wanted} answers {self.status}" if not status and self.status >= _FAULT else ""

    def is_own(self, wanted: Probe) -> bool:
        """Whether it came by a route that may answer; those of a deployment under way have other marks."""
        return not wanted.marks or self.mark in wanted.marks
