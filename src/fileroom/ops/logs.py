"""Log lines on stderr: text (`key=value`) or JSON, and no patient data.

Only Fileroom's own loggers are heard: other libraries repeat the values they stumble over. For the same reason an
error that Fileroom did not raise on purpose appears as its type and the lines of code it went through, not as its
text.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType

from fileroom.errors import FileroomError

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def start(level: str, form: str) -> None:
    """Send this process's log lines to stderr, and every error no one caught in a thread as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    ours = logging.getLogger("fileroom")
    ours.handlers[:] = [handler]
    ours.propagate = False
    ours.setLevel(level.upper())
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a closed stderr ends no request
    threading.excepthook = _uncaught
    faulthandler.enable()


def _uncaught(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        name = what.thread.name if what.thread else "?"
        logging.getLogger("fileroom.ops").error(
            "thread ended by an error", exc_info=what.exc_value, extra={"thread_name": name}
        )


class TextLines(logging.Formatter):
    """`2026-11-24T05:00:00.123Z info  archive.packs pack closed pack=1a2b bytes=1073741824`"""

    def format(self, record: logging.LogRecord) -> str:
        pairs = "".join(f" {key}={_bare(value)}" for key, value in _extras(record).items())
        line = f"{_time(record)} {record.levelname.lower():7} {_room(record)} {_one_line(record.getMessage())}{pairs}"
        return line + ("\n" + _trace(record) if record.exc_info else "")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, room, event, then what the event carries."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "room": _room(record),
            "event": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            line["trace"] = _trace(record)
        return json.dumps(line, default=str)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _PLAIN}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _room(record: logging.LogRecord) -> str:
    return record.name.removeprefix("fileroom.")


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _bare(value: object) -> str:
    text = _one_line(str(value))
    return json.dumps(text) if not text or any(letter in text for letter in ' "=') else text


def _trace(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    return "" if error is None else "\n".join(without_values(error, error.__traceback__))


def without_values(error: BaseException, trace: TracebackType | None) -> list[str]:
    """An error and what caused it, innermost first, as types and places in the code: nothing that came from outside."""
    lines: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        lines += without_values(cause, cause.__traceback__)
    for frame in traceback.extract_tb(trace):
        lines.append(f"  {frame.filename}:{frame.lineno} {frame.name}: {frame.line}")
    reason = str(error) if isinstance(error, FileroomError) else ""
    if isinstance(error, OSError):
        reason = f"[{error.errno}] {error.strerror}"
    lines.append(f"{type(error).__module__}.{type(error).__qualname__}" + (f": {_one_line(reason)}" if reason else ""))
    return lines
