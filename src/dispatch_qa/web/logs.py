"""Logs: one JSON object a line on stderr. What was asked is not in them, unless the server is told to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import IO

LOGGER = "dispatch_qa"


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event, and the fields that were given with it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # ASCII, so that no line separator and no control character of any alphabet can forge a line.
        return json.dumps(line, default=str)


def configure(stream: IO[str] | None = None, *, as_json: bool = True) -> None:
    """Send what this package and its server have to say to `stream`, by default stderr.

    Not `as_json`, for a person at a terminal: only what concerns them, as plain lines.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("dispatch-qa: %(message)s"))
    if not as_json:
        handler.addFilter(lambda record: record.levelno > logging.INFO or not getattr(record, "fields", {}))
    # uvicorn's own access log would write down query strings, which hold questions.
    for name, least in ((LOGGER, logging.INFO), ("uvicorn.error", logging.WARNING), ("mcp", logging.ERROR)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(least)


def log(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one line. What has fields happens often: a person at a terminal is spared it unless it is a warning."""
    logging.getLogger(LOGGER).log(level, event, extra={"fields": fields})
