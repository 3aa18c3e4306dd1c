"""An observation verifies only as it was signed, field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fileroom.audit.note import BadNote, Checkpoint, Signer
from fileroom.evidence.check import Grade
from fileroom.evidence.observation import FACTS_BYTES_MAX, Observation, canonical, sign, signed_text, verified_facts

KEY = Signer.new("fileroom/test")
ONE = Observation("archive-1", "main", "scrub", 3, 1000, 1001, Grade.MEASURED, canonical({"b": 1, "a": "x\n\ny"}))


def test_what_was_signed_verifies() -> None:
    assert verified_facts(ONE, sign(ONE, KEY), KEY.verifier) == {"a": "x\n\ny", "b": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"archive": "archive-2"},
        {"site": "north"},
        {"check_id": "at-rest"},
        {"number": 4},
        {"observed_ms": 999},
        {"collected_ms": 1002},
        {"grade": Grade.PROBED},
        {"facts": canonical({"a": "x\n\ny", "b": 2})},
        {"facts": "{"},
        {"facts": "\ud800"},
    ],
)
def test_any_other_field_does_not(change: dict[str, Any]) -> None:
    assert verified_facts(replace(ONE, **change), sign(ONE, KEY), KEY.verifier) is None


def test_another_key_no_key_and_no_signature_do_not() -> None:
    stranger = Signer.new("fileroom/test")
    assert verified_facts(ONE, sign(ONE, stranger), KEY.verifier) is None
    assert verified_facts(ONE, sign(ONE, KEY), None) is None
    assert verified_facts(ONE, "", KEY.verifier) is None


def test_a_signed_observation_is_no_checkpoint_of_the_ledger() -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(signed_text(ONE))


@pytest.mark.parametrize("facts", [{"a": 0.5}, {"é": 1}, {"a": 1 << 54}, {"a": b""}, {"a": "x" * FACTS_BYTES_MAX}])
def test_facts_that_have_no_one_form_are_refused(facts: Any) -> None:
    with pytest.raises(ValueError, match=r"fact|number"):
        canonical(facts)
