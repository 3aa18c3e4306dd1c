"""docs/statuses.md: what a sender, an asker and a person are told, from the tables that say it."""

from __future__ import annotations

from fileroom import errors
from fileroom.archive.arrival import Outcome
from fileroom.archive.held import KINDS
from fileroom.archive.members import FINDINGS
from fileroom.dicomweb import stow_status
from fileroom.dimse import status
from fileroom.ops.exit_codes import MEANING
from fileroom.web.http import STATUS
from scripts.pages.markdown import table


def page() -> str:
    return f"""# Statuses

One table for each way in which Fileroom says what happened. Each is made from the code's own.

## Storing

What became of one object, as C-STORE says it (Status) and as STOW-RS says it (Failure Reason of that object).

{table(("what happened", "C-STORE", "STOW-RS", "what became of it"), _storing())}
A STOW-RS request in which every object was stored answers 200; some, 202; none, 409.

## Finding and getting by DICOM

{table(("what happened", "C-FIND, C-GET, C-MOVE", "comment"), _asking())}
## DICOMweb and pages

The first that fits, from the top. The body is `{{"error": ..., "hint": ...}}`.

{table(("what happened", "HTTP status"), [(words(kind.__name__), code) for kind, code in STATUS])}
## Kept apart for a person

`fileroom conflicts` lists them.

{table(("kind", "why"), KINDS.items())}
## Findings

Of `scrub`, `rebuild-index`, and of the start of a server after a crash.

{table(("finding", "meaning"), FINDINGS.items())}
## Exit codes of commands

{table(("exit code", "meaning"), [(int(code), meaning) for code, meaning in MEANING.items()])}"""


def _storing() -> list[tuple[str, str, str, str]]:
    kinds = [*status.STORE, *(kind for kind in stow_status.FAILURES if kind not in status.STORE)]
    return [(_name(kind), *_said(kind)) for kind in kinds]


def _said(kind: Outcome | type[errors.FileroomError]) -> tuple[str, str, str]:
    dimse, stow = status.STORE.get(kind), stow_status.FAILURES.get(kind)
    stored = kind in (Outcome.STORED, Outcome.DUPLICATE)
    return (
        f"{dimse.code:04X}" if dimse else "",
        "stored" if stored else f"{stow.code:04X}" if stow else "",
        dimse.meaning if dimse else stow.meaning if stow else "",
    )


def _asking() -> list[tuple[str, str, str]]:
    rows = [(words(kind.__name__), f"{one.code:04X}", one.comment or one.meaning) for kind, one in status.QUERY.items()]
    more = (status.SUCCESS, status.CANCELLED, status.SOME_FAILED, status.ALL_FAILED, status.UNRECOGNIZED, status.BROKEN)
    return rows + [(one.meaning, f"{one.code:04X}", one.comment) for one in more]


def _name(kind: Outcome | type[errors.FileroomError]) -> str:
    return kind.value if isinstance(kind, Outcome) else words(kind.__name__)


def words(name: str) -> str:
    """InvalidUid -> invalid uid."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
