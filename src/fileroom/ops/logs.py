"""Log lines on stderr: text (`key=value`) or JSON, and no patient data.

Only Fileroom's own loggers are heard: other libraries repeat the values they stumble over. For the same reason an
error that Fileroom did not raise on purpose appears as its type and the lines of code it went through, not as its
text.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import re
import sys
import threading
import time
import traceback
from functools import lru_cache
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
    """`2026-11-24T05:00:00.123Z info    archive pack closed pack=1a2b bytes=1073741824`"""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        pairs = "".join(f" {key}={_bare(value)}" for key, value in fields.items())
        line = f"{_time(record)} {record.levelname.lower():7} {_room(record)} {_one_line(event)}{pairs}"
        return line + ("\n" + _trace(record) if record.exc_info else "")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, room, event, then what the event carries."""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "room": _room(record),
            "event": event,
            **fields,
        }
        if record.exc_info:
            line["trace"] = _trace(record)
        return json.dumps(line, default=str)


# One conversion of a %-template; a name before it (`status=%04X`) is a field's when the word ends with the value.
_ANY = r"%[-#0 +]*\d*(?:\.\d+)?[sdiouxXeEfFgGcra]"
_CONVERSION = re.compile(rf" ?\b(\w+)=({_ANY})(?=\s|$)|({_ANY})")


@lru_cache(maxsize=512)
def _pieces(template: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A template without its named conversions, and every conversion in order with its name or ""."""
    found = tuple((match[1] or "", match[2] or match[3]) for match in _CONVERSION.finditer(template))
    return _CONVERSION.sub(lambda match: "" if match[1] else match[0], template).strip(), found


def _told(record: logging.LogRecord) -> tuple[str, dict[str, object]]:
    """The event, and its fields: those named in the template (`calling=%s`), then those given as extra."""
    extras = {key: value for key, value in vars(record).items() if key not in _PLAIN}
    if not isinstance(record.args, tuple) or not record.args or "%%" in record.msg:
        return record.getMessage(), extras
    event, found = _pieces(str(record.msg))
    if len(found) != len(record.args):
        return record.getMessage(), extras
    unnamed: list[object] = []
    fields: dict[str, object] = {}
    for (name, conversion), value in zip(found, record.args, strict=True):
        if name:
            fields[name] = value if conversion == "%d" else conversion % value
        else:
            unnamed.append(value)
    return event % tuple(unnamed) if unnamed else event, fields | extras


def _time(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=4)
def _second(since_1970: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_1970))


def _room(record: logging.LogRecord) -> str:
    return record.name.removeprefix("fileroom.")


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


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
