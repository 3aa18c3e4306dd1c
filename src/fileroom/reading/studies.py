"""The study list: searched as one types, sorted, and kept in the page's address."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from fileroom import errors
from fileroom.archive.listing import (
    Narrowing,
    Order,
    Place,
    StudyLine,
    list_studies,
    modalities_here,
    study_total,
)
from fileroom.database import Database
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router

_LINES = 100  # at a time; further ones come as one scrolls
_TEXT_CHARACTERS_MAX = 200
_PERIODS = {"today": 0, "3 days": 2, "week": 6, "month": 30, "year": 365}  # days before today


@dataclass(frozen=True, slots=True)
class _Heading:
    """One column's heading."""

    title: str
    order: Order | None = None  # None: nothing to sort by
    descends: bool = False  # the way it is sorted first


_HEADINGS = (
    _Heading("Study date", Order.DATE, True),
    _Heading("Patient", Order.PATIENT),
    _Heading("Patient ID", Order.PATIENT_ID),
    _Heading("Born"),
    _Heading("Modality"),
    _Heading("Description"),
    _Heading("Accession", Order.ACCESSION),
    _Heading("Images"),
    _Heading("Arrived", Order.ARRIVED, True),
)


@dataclass(frozen=True, slots=True)
class View:
    """What the list shows, as the page's address keeps it."""

    text: str = ""
    modality: str = ""
    period: str = ""  # one of _PERIODS, or empty: from and to count
    from_day: str = ""  # 2026-11-24
    to_day: str = ""
    order: Order = Order.DATE
    descending: bool = True
    after: Place | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.modality or self.period or self.from_day or self.to_day)

    def narrowing(self, today: date) -> Narrowing:
        """The question to the archive. Raises BadRequest for a day that is none."""
        first, last = self.from_day, self.to_day
        if self.period:
            first, last = (today - timedelta(days=_PERIODS[self.period])).isoformat(), today.isoformat()
        return Narrowing(self.text, self.modality, _dicom_date(first), _dicom_date(last))

    def address(self) -> str:
        """Where this view is found."""
        pairs = {
            "q": self.text,
            "modality": self.modality,
            "period": self.period,
            "from": self.from_day,
            "to": self.to_day,
            "sort": "" if self.order is Order.DATE and self.descending else self._sort(),
            "after": _cursor(self.after) if self.after else "",
        }
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"/studies?{query}" if query else "/studies"

    def _sort(self) -> str:
        return ("-" if self.descending else "") + self.order

    def sorted_by(self, heading: _Heading) -> View:
        """The view that a click on a heading leads to: its order, the other way round when it is sorted so already."""
        order = heading.order or Order.DATE
        descending = not self.descending if order is self.order else heading.descends
        return replace(self, order=order, descending=descending, after=None)

    def behind(self, line: StudyLine) -> View:
        """The view that goes on behind a line."""
        return replace(self, after=line.place)


class Studies:
    """The handler of `GET /studies`."""

    def __init__(self, pages: Pages, database: Database) -> None:
        self._pages = pages
        self._database = database

    def add_routes(self, router: Router) -> None:
        """Have the router send the list here."""
        router.add("GET", "/studies", self.page)

    def page(self, request: Request) -> Response:
        """The whole page; its lines alone when the page itself asks for them. Raises BadRequest."""
        view = read_view(request)
        lines = list_studies(
            self._database,
            view.narrowing(date.today()),  # noqa: DTZ011 - the day on the wall of this house
            view.order,
            descending=view.descending,
            after=view.after,
            limit=_LINES,
        )
        more = view.behind(lines[-1]).address() if len(lines) == _LINES else ""
        part = request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in request.headers
        values: dict[str, Any] = {"view": view, "lines": lines, "more": more, "headings": _HEADINGS}
        if part and view.after is not None:
            response = self._pages.page(request, "reading/study_lines.html", **values)
        elif part:
            response = self._pages.page(request, "reading/study_results.html", **values)
            response.headers.append(("hx-replace-url", view.address()))
        else:
            response = self._pages.page(
                request,
                "reading/studies.html",
                total=study_total(self._database),
                modalities=modalities_here(self._database),
                periods=tuple(_PERIODS),
                **values,
            )
        response.headers.append(("vary", "hx-request"))
        return response


def read_view(request: Request) -> View:
    """The view that a request asks for. Raises BadRequest."""
    args = {name: value.strip() for name, value in request.args()}
    sort = args.get("sort", "")
    if sort.lstrip("-") not in ("", *Order):
        raise errors.BadRequest("the list cannot be sorted so", hint=f"sort is one of {', '.join(Order)}")
    period = args.get("period", "")
    if period not in ("", *_PERIODS):
        raise errors.BadRequest("no such period", hint=f"period is one of {', '.join(_PERIODS)}")
    after = args.get("after", "")
    return View(
        text=args.get("q", "")[:_TEXT_CHARACTERS_MAX],
        modality=args.get("modality", "")[:16],
        period=period,
        from_day=args.get("from", ""),
        to_day=args.get("to", ""),
        order=Order(sort.lstrip("-")) if sort else Order.DATE,
        descending=sort.startswith("-") if sort else True,
        after=_place(after) if after else None,
    )


def _dicom_date(day: str) -> str:
    if not day:
        return ""
    try:
        return date.fromisoformat(day).strftime("%Y%m%d")
    except ValueError as error:
        raise errors.BadRequest("a day is written 2026-11-24") from error


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([place.value, place.study_pk])).decode()


def _place(text: str) -> Place:
    try:
        value, key = orjson.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError, binascii.Error) as error:
        raise errors.BadRequest("the place in the list cannot be read", hint="begin at the top: /studies") from error
    if not isinstance(key, int) or not (value is None or isinstance(value, str)) or not 0 <= key < 1 << 63:
        raise errors.BadRequest("the place in the list cannot be read", hint="begin at the top: /studies")
    return Place(value, key)
