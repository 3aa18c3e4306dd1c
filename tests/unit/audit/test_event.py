"""An event is the same bytes everywhere, and those bytes tell the event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.audit.event import TEXT_MAX, VERSION, Event, Kind, NotALine, Outcome, read, written

TEXTS = [name for name, kind in Event.__annotations__.items() if kind == "str"]
NUMBER = st.integers(0, (1 << 53) - 1)
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(Kind),
    at_ms=st.integers(0, 253_402_300_799_999),
    outcome=st.sampled_from(Outcome),
    objects=st.none() | NUMBER,
    **{name: st.text(max_size=30) for name in TEXTS},
)


def test_a_line_is_canonical_json_that_any_program_reads() -> None:
    event = Event(
        Kind.VIEW,
        1_764_000_000_000,
        "r.shaw",
        patient_id="DEMO-7",
        purpose="tr\u00e9atment \u2028\x07",
        outcome=Outcome.BEGUN,
    )
    assert written(event).data.decode() == (
        '{"at_ms":1764000000000,"kind":"view","outcome":"begun","patient_id":"DEMO-7",'
        '"purpose":"tréatment \u2028\\u0007","v":1,"who":"r.shaw"}'
    )


@given(EVENTS)
def test_a_line_tells_its_event_and_an_independent_writer_makes_the_same_bytes(event: Event) -> None:
    line = written(event)
    assert read(line.data) == line.event
    assert written(line.event) == line
    plain = {name: value for name, value in line.event._asdict().items() if value not in (None, "") or name == "who"}
    # RFC 8785 for names in ASCII: sorted, no spaces, the shortest escapes
    text = json.dumps({**plain, "v": VERSION}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert line.data == text.encode()
    if not any("\0" in value for value in event if isinstance(value, str)):
        assert line.event == event


def test_a_text_that_cannot_be_kept_costs_no_event() -> None:
    event = Event(Kind.STORE, 1, "CT\0_1", patient_id="A\ud800B", detail="x" * 5000)
    line = written(event)
    assert (line.event.who, line.event.patient_id) == ("CT\ufffd_1", "A\ufffdB")
    assert len(line.event.detail) == TEXT_MAX
    assert line.event.detail.endswith("x…")
    assert read(line.data) == line.event
    whole = Event(Kind.STORE, 1, "CT_1", detail="é" * TEXT_MAX)
    assert written(whole).event == whole


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"v":2,"kind":"view","at_ms":1,"who":"a","outcome":"done"}',
        b'{"v":1,"kind":"stare","at_ms":1,"who":"a","outcome":"done"}',
        b'{"v":1,"kind":"view","at_ms":1,"who":"a"}',
        b'{"v":1,"kind":"view","at_ms":"1","who":"a","outcome":"done"}',
        b'{"v":1,"kind":"view","at_ms":1,"who":5,"outcome":"done"}',
        b'{"v":1,"kind":"view","at_ms":1,"who":"a","outcome":"done","shoe":"8"}',
        b'{"v":1,"kind":"view","at_ms":253402300800000,"who":"a","outcome":"done"}',
        b'{"v":1,"kind":"view","at_ms":1,"who":"a","outcome":"done","objects":-1}',
        b'{"v":1,"kind":["view"],"at_ms":1,"who":"a","outcome":"done"}',
    ],
)
def test_bytes_that_are_no_line_are_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotALine):
        read(data)


def test_a_number_that_json_programs_would_round_is_refused() -> None:
    for at_ms in (-1, 253_402_300_800_000):
        with pytest.raises(ValueError, match="out of range"):
            written(Event(Kind.VIEW, at_ms, "a"))
        with pytest.raises(ValueError, match="out of range"):
            written(Event(Kind.VIEW, 1, "a", objects=at_ms << 10))
