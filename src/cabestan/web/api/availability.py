"""How an environment's routes answer, as the API tells it."""

from cabestan.domain.uptime import Availability, Outage, Period, Tally
from cabestan.engine.observing.availability import Answering
from cabestan.web.api import shapes


def answering_shape(value: Answering) -> shapes.Json:
    return {
        "availability": [_route(route) for route in value.routes],
        "outages": [_outage(outage) for outage in value.outages],
    }


def _route(value: Availability) -> shapes.Json:
    named = shapes.fields(value, "route", "service", "down")
    return named | {"day": _period(value.day), "month": _period(value.month)}


def _period(value: Period) -> shapes.Json:
    """Times in milliseconds; the last of `parts` is the hour, or the day, of now."""
    return {
        **shapes.fields(value, "availability", "asked", "down_minutes", "unknown_minutes", "median", "p95"),
        "parts": [_part(part) for part in value.parts],
    }


def _part(value: Tally) -> shapes.Json:
    return shapes.fields(value, "begun", "good", "failed")


def _outage(value: Outage) -> shapes.Json:
    return shapes.fields(value, "route", "service", "reason", "began_at", "ended_at")
