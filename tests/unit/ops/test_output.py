"""What commands say, to people and to programs."""

from __future__ import annotations

import json

import pytest

from fileroom.ops.output import Output, printable, size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (7 << 40, "7.0 TiB")],
)
def test_sizes_read_as_people_say_them(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text


def test_for_people_a_table_has_columns(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False)
    out.table(("name", "port"), [("CT", 104), ("A_LONGER_ONE", 11112)])
    out.result({"not": "for people"})
    assert capsys.readouterr().out == "name          port\nCT            104\nA_LONGER_ONE  11112\n"


def test_for_programs_there_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.say("hello")
    out.table(("name",), [("CT",)])
    out.result({"peers": ["CT"]})
    assert json.loads(capsys.readouterr().out) == {"peers": ["CT"]}


def test_a_value_steers_no_terminal() -> None:
    assert printable("A\x1b[2J\u202eB\n山田") == "A·[2J·B·山田"
