"""One observation, and the text that is signed for it.

Signed are the archive, the site, the check, its number there, both times, the grade and the facts. So a row that was
changed, replayed with another time or number, or copied from another site or archive does not verify.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from fileroom.audit.note import BadNote, Signer, Verifier
from fileroom.evidence.check import Facts, Grade, Value

_FORM = "fileroom observation, form 1"  # the first line: no checkpoint begins so
OUTAGE = "outage"  # the fact that stands alone when nothing could be observed: why not
FACTS_BYTES_MAX = 1 << 16
_INTEGER_MAX = 1 << 53  # JSON programs round what is larger


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen, before anybody judges it."""

    archive: str  # the archive's identity
    site: str
    check_id: str
    number: int  # of this check and site, from 1, without gaps
    observed_ms: int  # when it was so
    collected_ms: int  # when it was written down
    grade: str
    facts: str  # canonical JSON


def canonical(facts: Facts) -> str:
    """Facts as JSON in the form of RFC 8785. Raises ValueError for a fraction, a name that is not ASCII, too much."""
    _check(facts)
    text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
    if len(text.encode()) > FACTS_BYTES_MAX:
        raise ValueError("too many facts for one observation")
    return text


def _check(value: Value) -> None:
    if isinstance(value, bool | str | None):
        return
    if isinstance(value, int):
        if abs(value) > _INTEGER_MAX:
            raise ValueError("a number is too large for JSON")
    elif isinstance(value, dict):
        if not all(isinstance(name, str) and name.isascii() for name in value):
            raise ValueError("a fact's name is ASCII")
        for one in value.values():
            _check(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _check(one)
    else:
        raise ValueError("facts are texts, whole numbers, yes or no")


def signed_text(one: Observation) -> str:
    """What the signature is over."""
    fields: dict[str, Any] = {name: getattr(one, name) for name in Observation.__slots__}
    return f"{_FORM}\n{orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()}\n"


def sign(one: Observation, signer: Signer) -> str:
    """The signature's line."""
    text = signed_text(one)
    return signer.sign(text).removeprefix(f"{text}\n")


def verified_facts(one: Observation, signature: str, verifier: Verifier | None) -> Facts | None:
    """The facts, when the ledger's key signed exactly this; else None."""
    if verifier is None:
        return None
    try:
        text = signed_text(one)
        if verifier.check(f"{text}\n{signature}") != text or one.grade not in list(Grade):
            return None
        facts = orjson.loads(one.facts)
    except (BadNote, ValueError, TypeError):  # also JSON that is none, a text that cannot be written
        return None
    return facts if isinstance(facts, dict) else None
