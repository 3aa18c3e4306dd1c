"""Log lines are one line each, carry what happened, and repeat nothing that came from outside."""

from __future__ import annotations

import json
import logging
import os
import sys

import pytest

from fileroom.errors import StorageFull
from fileroom.ops.logs import JsonLines, TextLines

MARK = "DOE^JANE"


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("fileroom.archive", logging.WARNING, __file__, 1, message, arguments, info)
    vars(made).update(extra)
    return made


def test_text_is_time_level_room_event_and_pairs() -> None:
    line = TextLines().format(record("pack closed", pack=7, why='it is "full"', empty=""))
    assert line.endswith('Z warning archive pack closed pack=7 why="it is \\"full\\"" empty=""')


def test_json_is_one_object_with_the_same() -> None:
    line = json.loads(JsonLines().format(record("stored %d", 3, door="dimse")))
    assert {key: line[key] for key in ("level", "room", "event", "door")} == {
        "level": "warning",
        "room": "archive",
        "event": "stored 3",
        "door": "dimse",
    }
    assert line["time"].endswith("Z")


def test_names_in_the_template_become_fields() -> None:
    told = record("object refused status=%04X calling=%s objects=%d %s", 0xA700, "CT ROOM 1", 3, "for now")
    assert TextLines().format(told).endswith('archive object refused for now status=A700 calling="CT ROOM 1" objects=3')
    line = json.loads(JsonLines().format(told))
    assert (line["event"], line["status"], line["objects"]) == ("object refused for now", "A700", 3)


def test_a_value_that_is_part_of_a_word_stays_in_the_event() -> None:
    told = record("accepted %s contexts=%d/%d in=%s", "CT", 3, 4, "1 s")
    assert TextLines().format(told).endswith('archive accepted CT contexts=3/4 in="1 s"')


@pytest.mark.parametrize("template", ["100%% of %d", "plain", "100%"])
def test_other_templates_are_told_as_they_are(template: str) -> None:
    arguments = (3,) if "%d" in template else ()
    assert json.loads(JsonLines().format(record(template, *arguments)))["event"] in ("100% of 3", "plain", "100%")


def test_a_line_end_in_a_value_does_not_forge_a_line() -> None:
    line = TextLines().format(record("rejected calling=%s", "CT\n2026-01-01 info all is well", peer="a\r\nb"))
    assert "\n" not in line
    assert "\r" not in line


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_an_unexpected_error_is_told_without_its_text(lines: logging.Formatter) -> None:
    try:
        raise ValueError(f"cannot read {MARK}")
    except ValueError as error:
        line = lines.format(record("fault", error=error))
    assert MARK not in line
    assert "ValueError" in line
    assert "test_logs.py" in line


def test_a_cause_is_told_without_its_text_too() -> None:
    try:
        try:
            raise KeyError(MARK)
        except KeyError as cause:
            raise StorageFull("no room is left") from cause
    except StorageFull as error:
        line = TextLines().format(record("failed", error=error))
    assert MARK not in line
    assert "KeyError" in line
    assert "StorageFull: no room is left" in line


def test_a_file_that_cannot_be_opened_is_not_named() -> None:
    try:
        os.stat(f"/nonexistent/{MARK}")
    except OSError:
        line = TextLines().format(record("failed", error=sys.exc_info()[1]))
    assert MARK not in line
    assert "[2] No such file or directory" in line
