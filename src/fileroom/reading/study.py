"""The page of one study: whose it is, what it holds, where it came from and where it can go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.held import held_of_study
from fileroom.archive.hide import HiddenStudy, hidden_study, hide, unhide
from fileroom.archive.marks import MarksReader
from fileroom.archive.overview import Overview, SeriesOverview, StudyValues, study_overview, study_values
from fileroom.archive.recent import QUIET_SECONDS
from fileroom.database import Database
from fileroom.dicom.key_object import KEY_OBJECT_CLASS
from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.reading.persons import age_text, sex_text
from fileroom.reading.ways import Ways
from fileroom.web.http import Request, Response
from fileroom.web.pages import NOT_SIGNED_IN, Pages, form, see_other
from fileroom.web.router import Router
from fileroom.web.segment import segment

REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Person:
    """The banner: whom the page is about."""

    values: StudyValues
    age: str  # at the study, "" when unknown
    sex: str


def no_study() -> errors.NotFound:
    """What to raise when a study is asked for that nobody may know of."""
    return errors.NotFound("this study is not here, or was hidden", hint="look for it in the list of studies")


def person(values: StudyValues) -> Person:
    """Whom a study is of."""
    return Person(values, age_text(values.birth_date, values.study_date, values.patient_age), sex_text(values.sex))


class StudyPage:
    """The handlers under `/studies/{study}` that are about the study as a whole."""

    def __init__(self, pages: Pages, database: Database, marks: MarksReader, ways: Ways) -> None:
        self._pages = pages
        self._database = database
        self._marks = marks
        self._ways = ways

    def add_routes(self, router: Router) -> None:
        """Have the router send the page, and what its forms post, here."""
        router.add("GET", "/studies/{study}", self.page)
        router.add("GET", "/studies/{study}/contents", self.contents)
        router.add("GET", "/studies/{study}/hidden", self.hidden)
        router.add("POST", "/studies/{study}/hide", self.hide)
        router.add("POST", "/studies/{study}/unhide", self.unhide)
        if self._ways.sending is not None:
            router.add("POST", "/studies/{study}/send", self.send)

    def page(self, request: Request) -> Response:
        """The page; of a hidden study, the way to where it can be brought back. Raises NotFound."""
        study_uid = request.params["study"]
        found = study_overview(self._database, study_uid)
        if found is None:
            if hidden_study(self._database, study_uid) is not None:
                return see_other(_path(study_uid, "/hidden"))
            raise no_study()
        return self._filled(request, "reading/study.html", found)

    def contents(self, request: Request) -> Response:
        """The part of the page that changes while the study arrives. Raises NotFound."""
        found = study_overview(self._database, request.params["study"])
        if found is None:
            raise no_study()
        return self._filled(request, "reading/contents.html", found)

    def _filled(self, request: Request, template: str, found: Overview) -> Response:
        study, ways = found.study, self._ways
        modalities = study.modalities.split("\\")
        sending = ways.sending
        marked = any(KEY_OBJECT_CLASS in one.holds.classes for one in found.series)
        keys = self._marks.key_images(study.study_uid) if marked else []
        return self._pages.page(
            request,
            template,
            overview=found,
            study=study,
            person=person(study),
            waiting=held_of_study(self._database, study.study_uid),
            at=_path(study.study_uid),
            quiet_seconds=QUIET_SECONDS,
            viewer=lambda *uids: ways.viewer(list(uids), modalities) if ways.viewer else None,
            download=ways.download(study.study_uid) if ways.download else None,
            ledger=ways.ledger(study.study_uid) if ways.ledger else None,
            peers=sending.peers() if sending else None,
            sent=sending.sent(study.study_uid) if sending else (),
            looks=any(one.holds.images for one in found.series),
            keys=keys,
            stars=Counter(one.series_uid for one in keys),
            kind=kind_text,
            view=view_text,
            reason_max=REASON_CHARACTERS_MAX,
        )

    def send(self, request: Request) -> Response:
        """Have the study sent to the peer the form names. Raises NotFound, BadRequest."""
        study_uid, sending = request.params["study"], self._ways.sending
        peer = form(request).get("peer", "")
        if sending is None or study_values(self._database, study_uid) is None:
            raise no_study()
        if peer not in sending.peers():
            raise errors.NotFound("no such peer", hint="choose one of those that the page lists")
        sending.send(study_uid, peer)
        return see_other(_path(study_uid, "#sent"))

    def hide(self, request: Request) -> Response:
        """Take the study out of every answer, for the reason the form gives. Raises NotFound, BadRequest."""
        study_uid, fields = request.params["study"], form(request)
        reason = " ".join(fields.get("reason", "").split())
        if not reason or len(reason) > REASON_CHARACTERS_MAX:
            raise errors.BadRequest(
                f"say why, in at most {REASON_CHARACTERS_MAX} characters", hint="go back; the study was not hidden"
            )
        if fields.get("sure") != "yes":
            raise errors.BadRequest("the box that confirms it was not ticked", hint="go back; the study was not hidden")
        hide(self._database, study_uid, reason, NOT_SIGNED_IN)
        return see_other(_path(study_uid, "/hidden"))

    def hidden(self, request: Request) -> Response:
        """The page of a hidden study: why it is, and the way back. Raises NotFound."""
        study_uid = request.params["study"]
        record: HiddenStudy | None = hidden_study(self._database, study_uid)
        if record is None:
            return see_other(_path(study_uid))
        return self._pages.page(request, "reading/hidden.html", hidden=record, at=_path(study_uid))

    def unhide(self, request: Request) -> Response:
        """Bring the study back; done already in another tab is as good. Raises NotFound."""
        study_uid = request.params["study"]
        form(request)
        if hidden_study(self._database, study_uid) is not None:
            unhide(self._database, study_uid, NOT_SIGNED_IN)
        return see_other(_path(study_uid))


def kind_text(sop_class_uid: str) -> str:
    """What an object of this SOP class is, as the standard names it, without the word that they all end on."""
    name = STORAGE_CLASSES.get(sop_class_uid, sop_class_uid)
    return name.replace(" Storage", "")


def view_text(series: SeriesOverview) -> str:
    """Body part and side or view of a series, as it says itself or all its images do."""
    values = series.values
    sides = {side for side, _ in series.holds.views if side}
    views = [" ".join(part for part in both if part) for both in series.holds.views]
    if any(view for _, view in series.holds.views) and len(views) <= 4:
        side = ", ".join(views)
    else:
        side = values.laterality or (sides.pop() if len(sides) == 1 else "")
    return " ".join(part for part in (values.body_part, side) if part)


def _path(study_uid: str, rest: str = "") -> str:
    return f"/studies/{segment(study_uid)}{rest}"
