"""One connection: uvicorn's own, with bounds on what it reads before the application sees anything.

The parser keeps a header until it is whole, and copies it for each piece that comes. So bytes are counted before they
reach it: those since it last gave something on. That covers the head, trailers and extensions of chunks alike.
"""

import asyncio
from collections.abc import Callable

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from cabestan.web.front.bounds import Bounds
from cabestan.web.front.crowd import Crowd, Seat
from cabestan.web.throttle import client_at

#: bytes that the parser gets at once: so exactly is counted
_SLICE = 4096
#: of what somebody goes on to send after a refusal, so much is read, that the refusal is not lost
_DISCARDED = 1 << 20

Refusal = tuple[int, str]
_NOT_HTTP = (400, "This is not a request as HTTP has them.")
_BUSY = (
    503,
    "Too many connections are open. Try again in a moment; requests with a good token are answered meanwhile.",
)


class Connection(HttpToolsProtocol):
    """`bounds` and `crowd` are those of the server: see `connection_class`."""

    bounds: Bounds
    crowd: Crowd

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = client_at(self.client[0]) if self.client else ""
        #: of the reserve: whoever asks must be known
        self.reserved = False
        #: none of a request has come, or all of one
        self._whole = True
        self._refusal: Refusal | None = None
        self._refused = False
        self._discarded = 0
        #: bytes since the parser last gave something on
        self._unread = 0
        self._heard = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._sit_down()

    def _sit_down(self) -> None:
        seat = self.crowd.enter(self)
        self.reserved = seat is Seat.RESERVED
        if seat is Seat.ADDRESS_FULL:
            most = self.bounds.connections_per_address
            self._refuse(429, f"Your address has {most} connections already, which is as many as one may have.")
        elif seat is Seat.FULL:
            self._refuse(*_BUSY)
        else:
            self._within(self.bounds.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.leave(self)
        self._forget_timer()
        if self._unread_timer:
            self._unread_timer.cancel()
        super().connection_lost(exc)

    def send_away(self) -> None:
        self.transport.abort()

    def stays(self) -> None:
        """Somebody known sends a stream: it makes room for nobody."""
        self.crowd.works(self)

    # ---- what comes

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._refused:
            return self._discard(len(data))
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _SLICE):
            if not self._fed(data[start : start + _SLICE]):
                return None
        if self._timer is None and self._whole and self._answered:
            self._within(self.bounds.head_seconds, self._head_is_late)  # empty lines, before a request begins
        return None

    def _fed(self, piece: bytes) -> bool:
        """Whether to go on with the next one."""
        self._unread += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:  # was answered as a plain request
            return False
        except httptools.HttpParserError:
            self._refusal = self._refusal or _NOT_HTTP
        if self._unread > self.bounds.head_bytes:
            words = f"Request line and headers are too long: {self.bounds.head_bytes} bytes are taken, all together."
            self._refusal = self._refusal or (431, words)
        if self._refusal:
            self._refuse(*self._refusal)
        return self._refusal is None and not self.transport.is_closing()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._whole = False
        self.scope["state"]["connection"] = self
        self._within(self.bounds.head_seconds, self._head_is_late)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.bounds.url_bytes:
            self._refusal = (414, f"The address is too long: {self.bounds.url_bytes} bytes are taken.")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > self.bounds.headers:
            self._refusal = (431, f"There are too many headers: {self.bounds.headers} are taken.")

    def on_headers_complete(self) -> None:
        self._forget_timer()
        if self._refusal:
            return
        super().on_headers_complete()
        self._within(self.bounds.stalled_seconds, self._body_is_late)
        if len(self.pipeline) > self.bounds.pipelined:
            self._refusal = (429, "Too many requests were sent ahead of their answers.")

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        self._whole = True
        self._forget_timer()
        if self._refusal:
            return
        super().on_message_complete()
        if not self._answered:
            self.crowd.works(self)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or self.pipeline or not self._answered:
            return
        self.crowd.waits(self)
        if not self._whole:  # the rest of a body that nobody wants any more
            self._within(self.bounds.told_seconds, self.transport.close)

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    # ---- what does not come in time

    def _within(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._forget_timer()
        self._timer = self.loop.call_later(seconds, otherwise)

    def _forget_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        if self._whole:  # nothing was asked: nothing is told
            return self.transport.close()
        return self._refuse(408, f"The request did not come within {self.bounds.head_seconds:.0f} seconds.")

    def _body_is_late(self) -> None:
        """Where we ourselves do not read on, nothing is late."""
        silent = 0.0 if self.flow.read_paused else self.loop.time() - self._heard
        if silent < self.bounds.stalled_seconds:
            return self._within(self.bounds.stalled_seconds - silent, self._body_is_late)
        return self._refuse(408, f"Nothing more of the request came for {self.bounds.stalled_seconds:.0f} seconds.")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.bounds.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread_timer:
            self._unread_timer.cancel()

    # ---- refusals

    def _refuse(self, status: int, words: str) -> None:
        """Says why, and reads on for a moment: a connection that is closed with bytes unread loses what was said."""
        self._refused = True
        told = self.cycle is None or self.cycle.response_complete or not self.cycle.response_started
        self._break_off()
        if not told or self.transport.is_closing() or not self.crowd.may_be_told(self):
            return self.transport.abort()
        self.transport.write(self._words(status, f"{words}\n".encode()))
        self.transport.write_eof()
        return self._within(self.bounds.told_seconds, self.transport.abort)

    def _break_off(self) -> None:
        """For the application, the client has gone away."""
        self.pipeline.clear()
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.flow.resume_reading()

    def _words(self, status: int, body: bytes) -> bytes:
        headers = [*self.server_state.default_headers, (b"content-type", b"text/plain; charset=utf-8")]
        headers += [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body

    def _discard(self, count: int) -> None:
        self._discarded += count
        if self._discarded > _DISCARDED:
            self.transport.abort()


def connection_class(bounds: Bounds) -> type[Connection]:
    """For one server: all its connections are of one crowd."""
    crowd = Crowd(bounds.connections, bounds.connections_per_address, bounds.reserve, bounds.told)
    return type("BoundedConnection", (Connection,), {"bounds": bounds, "crowd": crowd})
