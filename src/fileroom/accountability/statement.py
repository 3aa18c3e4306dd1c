"""The signed statement: map, gaps, decision and evidence as of one moment, in a file that anybody can verify offline.

The file is one canonical JSON document (RFC 8785) and a newline, so that no byte of it can be another. Its signature is
made with the ledger's key over a line that says what it is and the canonical form of `statement`: the text of a signed
note (C2SP signed-note), which a checkpoint of the ledger can never be mistaken for.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fileroom.accountability import decision, rows, versions
from fileroom.accountability.canonical import NotCanonical, canonical, parsed
from fileroom.accountability.facts import Facts
from fileroom.accountability.gaps import Gap
from fileroom.accountability.map import Kept
from fileroom.audit.note import BadNote, Signer, Verifier

FORM = "fileroom-statement-1"
SCHEMA = Path(__file__).with_name("statement.schema.json")
VERIFIER = Path(__file__).with_name("verify_statement.py")  # stands alone
SIZE_MAX = 16 << 20


class BadStatement(ValueError):
    """A file that is no statement, was changed, or was not signed with the key that the reader pinned."""


def map_told(kept: Kept, now_ms: int) -> dict[str, object] | None:
    """The newest version, with each row's status and acceptance; None when there is no map."""
    version = kept.newest
    if version is None:
        return None
    told = []
    for row in version.rows:
        accepted = versions.acceptance_of(row, kept.acceptances, now_ms)
        told.append(
            rows.plain(row)
            | {
                "status": versions.status(row, version, kept.acceptances, now_ms).value,
                "accepted": None if accepted is None else {"at": iso(accepted.at_ms), "how": accepted.how},
            }
        )
    return versions.plain(version) | {"digest": version.digest, "rows": told}


def gap_told(gap: Gap) -> dict[str, object]:
    """A gap as JSON values."""
    return asdict(gap) | {"kind": gap.kind.value, "role": None if gap.role is None else gap.role.value}


def stated(
    kept: Kept,
    facts: Facts,
    now_ms: int,
    *,
    archive: str,
    release: str,
    system: str = "",
    subject: str = "",
    questions: Sequence[Mapping[str, object]] = (),
    checks: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """The statement's content as of now. It holds names of those who answer, and of no patient."""
    decided, answer = kept.decided(subject), kept.may_go_live(facts, now_ms, subject)
    return {
        "as_of": iso(now_ms),
        "archive": archive,
        "release": release,
        "system": system,
        "subject": subject,
        "questions": [dict(one) for one in questions],
        "checks": [dict(one) for one in checks],
        "map": map_told(kept, now_ms),
        "gaps": [gap_told(gap) for gap in kept.gaps(facts, now_ms, subject)],
        "decision": None if decided is None else decision.plain(decided),
        "go_live": {"yes": answer.yes, "reasons": list(answer.reasons)},
    }


def signed(statement: Mapping[str, object], signer: Signer) -> bytes:
    """The statement's file. Raises NotCanonical."""
    note = signer.sign(_text(statement))
    value = note.rstrip("\n").rpartition(" ")[2]
    return _file(statement, signer.verifier, value)


def verified(data: bytes, verifier: Verifier) -> dict[str, Any]:
    """What a statement's file says, when no byte of it was changed and that key signed it. Raises BadStatement."""
    if len(data) > SIZE_MAX:
        raise BadStatement("larger than any statement")
    try:
        told = parsed(data)
        statement = told["statement"]  # type: ignore[index]
        value = told["signature"]["value"]  # type: ignore[index]
        key = Verifier.parse(told["signature"]["key"])  # type: ignore[index]
        if _file(statement, key, value) != data:
            raise BadStatement("a byte was changed: this is not the form that a statement is written in")
        if key != verifier:
            raise BadStatement(f"signed with the key {key.name}, which is not the one you hold, {verifier.name}")
        verifier.check(f"{_text(statement)}\n— {key.name} {value}\n")
        _check_base64(value)
    except BadNote as error:
        raise BadStatement(f"changed, or not signed with that key: {error}") from error
    except (NotCanonical, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BadStatement("not a statement") from error
    if not isinstance(statement, dict):
        raise BadStatement("not a statement")
    return statement


def _check_base64(value: str) -> None:
    """Two texts may be the same bytes in base64: only one is the text that was written."""
    if base64.b64encode(base64.b64decode(value)).decode() != value:
        raise BadStatement("a byte of the signature was changed")


def _text(statement: object) -> str:
    return f"{FORM}\n{canonical(statement).decode()}\n"


def _file(statement: object, key: Verifier, value: str) -> bytes:
    whole = {"form": FORM, "signature": {"key": key.text, "value": value}, "statement": statement}
    return canonical(whole) + b"\n"


def iso(at_ms: int) -> str:
    """A time as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
