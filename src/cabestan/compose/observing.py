"""Reads `healthcheck` and `logging`: how a container is watched, and where its output goes."""

from __future__ import annotations

import re

from cabestan.compose import fields, policy
from cabestan.compose.findings import Report
from cabestan.compose.model import Healthcheck, Logging
from cabestan.compose.nodes import Field, Items, Table

_LOG_SIZE = re.compile(r"[0-9]{1,4}[kmKM]", re.ASCII)
_MOST_LOG_FILES = 10


def read_healthcheck(report: Report, field: Field) -> Healthcheck | None:
    if not isinstance(field.node, Table):
        fields.wrong(report, field, "a mapping", "Write healthcheck: {test: COMMAND}.")
        return None
    fields.table(report, field, policy.HEALTHCHECK)
    durations = {
        key: fields.duration(report, value)
        for key in ("interval", "timeout", "start_period")
        if (value := field.get(key))
    }
    retries, disable, test = field.get("retries"), field.get("disable"), field.get("test")
    words = _test(report, test) if test else ()
    if disable and fields.flag(report, disable):
        words = ("NONE",)
    return Healthcheck(words, retries=fields.integer(report, retries, 1, 1000) if retries else None, **durations)


def _test(report: Report, field: Field) -> tuple[str, ...]:
    if not isinstance(field.node, Items):
        line = fields.text(report, field)
        return ("CMD-SHELL", line) if line else ()
    words = fields.words(report, field)
    if words[:1] not in (("CMD",), ("CMD-SHELL",), ("NONE",)) or (len(words) == 1 and words[0] != "NONE"):
        fields.wrong(report, field, "a list that begins with CMD, CMD-SHELL or NONE")
    return words


def read_logging(report: Report, field: Field) -> Logging | None:
    if not fields.table(report, field, policy.LOGGING):
        return None
    driver_field, options_field = field.get("driver"), field.get("options")
    driver = fields.choice(report, driver_field, ("json-file", "local")) if driver_field else None
    options: dict[str, str] = {}
    if options_field and fields.table(report, options_field, policy.LOGGING_OPTIONS):
        if size := options_field.get("max-size"):
            wanted = "a size such as 10m, at most 9999m"
            options["max-size"] = fields.matching(report, size, _LOG_SIZE, wanted) or ""
        if count := options_field.get("max-file"):
            options["max-file"] = str(fields.integer(report, count, 1, _MOST_LOG_FILES) or "")
    return Logging(driver, options)
