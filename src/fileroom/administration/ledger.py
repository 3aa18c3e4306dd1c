"""The ledger, as people read it: who looked at this patient or study, and what happened."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from fileroom import errors
from fileroom.audit.event import Event, Kind, Outcome
from fileroom.audit.inquiry import Answer, Asked, Happening, all_lines, find
from fileroom.audit.looks import LONGEST_SECONDS
from fileroom.audit.table import pieces
from fileroom.database import Database
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router

AT_ONCE = 100
_TEXT_MAX = 128
_GOING_MS = int(LONGEST_SECONDS * 1000) + 900_000  # so long at most until the end of something is told
_FIELDS = ("patient", "study", "who", "kind", "from", "to")

WORDS = {
    Kind.VIEW: "looked at",
    Kind.RETRIEVE: "fetched",
    Kind.STORE: "stored",
    Kind.SEND: "sent",
    Kind.EXPORT: "took away",
    Kind.SEARCH: "searched",
    Kind.HIDE: "hid or brought back",
    Kind.CORRECT: "decided a conflict",
    Kind.DELETE: "deleted",
    Kind.SETTING: "changed a setting",
    Kind.CONNECT: "asked for a connection",
    Kind.SIGN_IN: "signed in",
    Kind.GRANT: "changed what somebody may",
    Kind.PRINT: "printed",
    Kind.SHARE: "shared",
    Kind.SYSTEM: "system",
}


def ledger_path(study_uid: str) -> str:
    """Where it is told who looked at a study."""
    return f"/ledger?{urlencode({'study': study_uid})}"


@dataclass(frozen=True, slots=True)
class Told:
    """One act in words."""

    position: int
    at_ms: int
    who: str
    via: str
    did: str
    detail: str
    patient_id: str
    study_uid: str
    ended: str  # how it went
    bad: bool  # it was refused, failed, or its end is missing


class LedgerPage:
    """The handlers under `/ledger`."""

    def __init__(self, pages: Pages, database: Database) -> None:
        self._pages = pages
        self._database = database

    def add_routes(self, router: Router) -> None:
        """Have the router send the page and its file here."""
        router.add("GET", "/ledger", self.page)
        router.add("GET", "/ledger/csv", self.file)

    def page(self, request: Request) -> Response:
        """What happened, the newest first, as narrow as the query asks. Raises BadRequest, DatabaseUnavailable."""
        fields = _fields(request)
        answer = find(self._database, _asked(fields), before=_before(request), limit=AT_ONCE)
        same = {name: value for name, value in fields.items() if value}
        return self._pages.page(
            request,
            "administration/ledger.html",
            fields=fields,
            kinds={kind: WORDS[kind] for kind in Kind},
            told=_told(answer),
            file=f"/ledger/csv?{urlencode(same)}",
            older=None if answer.before is None else f"/ledger?{urlencode({**same, 'before': answer.before})}",
            narrowed=bool(same),
        )

    def file(self, request: Request) -> Response:
        """The same lines as a CSV file, all of them. Raises BadRequest."""
        headers = [
            ("content-type", "text/csv; charset=utf-8"),
            ("content-disposition", 'attachment; filename="ledger.csv"'),
            ("cache-control", "no-store"),
        ]
        return Response(200, headers, pieces(all_lines(self._database, _asked(_fields(request)))))


def _fields(request: Request) -> dict[str, str]:
    args = dict(request.args())
    return {name: args.get(name, "").strip()[:_TEXT_MAX] for name in _FIELDS}


def _before(request: Request) -> int | None:
    text = dict(request.args()).get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _asked(fields: dict[str, str]) -> Asked:
    kind = fields["kind"]
    if kind and kind not in list(Kind):
        raise errors.BadRequest("no such kind of act", hint="choose one of those that the page lists")
    return Asked(
        patient_id=fields["patient"],
        study_uid=fields["study"],
        who=fields["who"],
        kind=Kind(kind) if kind else None,
        since_ms=_midnight(fields["from"], 0) or 0,
        until_ms=_midnight(fields["to"], 1) or 1 << 53,
    )


def _midnight(day: str, days: int) -> int | None:
    """When a day begins on this machine, so many days later, in ms since 1970 UTC. Raises BadRequest."""
    if not day:
        return None
    try:
        at = datetime.strptime(day, "%Y-%m-%d") + timedelta(days=days)  # noqa: DTZ007 - local, as it is shown
        return max(0, int(at.timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise errors.BadRequest("a date is a day such as 2026-11-24") from error


def _told(answer: Answer) -> list[Told]:
    return [_in_words(one) for one in answer.happenings]


def _in_words(one: Happening) -> Told:
    event = one.event
    if event is None:
        return Told(one.position, 0, "", "", "cannot be read", "fileroom audit verify says more", "", "", "", True)
    ended, bad = _ended(event, one.end)
    last = one.end or event
    address = event.via.partition(" ")[0]  # the file has what the program called itself, too
    place = ", ".join(text for text in (address, event.where) if text)
    return Told(
        one.position,
        event.at_ms,
        event.who,
        place,
        event.detail if event.kind is Kind.HIDE else WORDS[event.kind],
        "" if event.kind is Kind.HIDE else last.detail or event.detail,
        event.patient_id,
        event.study_uid,
        ended,
        bad,
    )


def _ended(event: Event, end: Event | None) -> tuple[str, bool]:
    """How it went, in words; and whether somebody should look."""
    last = end or event
    why = f": {last.why}" if last.why else ""
    count = "" if last.objects is None or last.kind not in (Kind.STORE, Kind.SEND, Kind.RETRIEVE) else last.objects
    if last.outcome is Outcome.REFUSED:
        times = f", {last.objects} times" if last.objects and last.objects > 1 else ""
        return f"refused{times}{why}", True
    if last.outcome is Outcome.FAILED:
        return f"failed{why}", True
    if last.outcome is Outcome.BEGUN:
        going = time.time() * 1000 - event.at_ms < _GOING_MS
        return ("not ended yet" if going else "interrupted: how it ended is not told"), not going
    objects = f", {count} {'object' if count == 1 else 'objects'}" if count != "" and event.where != "web" else ""
    return f"done{objects}{why}", False
