"""How much the server takes from anybody. docs/limits.md lists these for people; a test compares the two."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Bounds:
    """Sizes in bytes, times in seconds. The first ones are settings, the others are the same for everybody."""

    #: open at the same time
    connections: int = 2000
    #: of them, from one address
    connections_per_address: int = 1000
    #: live streams that one user or job has open
    streams_per_user: int = 300
    #: pushes that are followed at the same time, of one user
    pushes_per_user: int = 10
    #: further connections, for requests that bring a good token or session, where all others are taken
    reserve: int = 64
    #: refused connections that are told so; further ones are cut off
    told: int = 64
    #: the request line and all headers together
    head_bytes: int = 32 * KIB
    #: the address within it
    url_bytes: int = 8 * KIB
    headers: int = 100
    #: from the connection, or the first byte of a further request, until all headers are there
    head_seconds: float = 5.0
    #: requests that are sent ahead of the answers to earlier ones, on one connection
    pipelined: int = 8
    #: between two requests on one connection
    idle_seconds: int = 5
    #: a body that does not come from somebody who is signed in
    unknown_body_bytes: int = 64 * KIB
    #: far more than the largest value of a variable takes as JSON; Git's packs have the setting `push_bytes`
    body_bytes: int = MIB
    #: until the whole body is there, but for Git's packs
    body_seconds: float = 30.0
    #: all bodies that are being received, together
    held_bytes: int = 64 * MIB
    #: without a byte of a pack that is being sent
    stalled_seconds: float = 60.0
    #: without the client taking a byte of the answer
    unread_seconds: float = 600.0
    #: lists and objects in one another, in a body of JSON
    json_depth: int = 32
    #: of one form
    fields: int = 200
    #: after the question mark of an address
    parameters: int = 100
    #: how long one who was refused may read why
    told_seconds: float = 2.0

    @property
    def pushes(self) -> int:
        """That are followed at the same time, of all together."""
        return min(50, max(1, self.connections // 8))

    @property
    def streams(self) -> int:
        """Live streams of all together: some connections are left for everything else."""
        return self.connections * 3 // 4
