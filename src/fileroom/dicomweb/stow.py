"""STOW-RS: storing objects through HTTP (PS3.18 10.5).

Parts stream into the archive as they come and are handed over without waiting for the one before, so that many
become durable together; the answer leaves after every one of them is.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.receive import Intake, Outcome, Pending, Receipt, Receiver, Source
from fileroom.archive.telling import Telling
from fileroom.dicomweb import stow_status
from fileroom.dicomweb.accept import choose_json
from fileroom.dicomweb.links import base_url
from fileroom.dicomweb.multipart import MultipartReader, media_type
from fileroom.dicomweb.stow_answer import Result, answer
from fileroom.web.actor import actor
from fileroom.web.http import Body, Request, Response
from fileroom.web.router import Router

log = logging.getLogger("fileroom.dicomweb")

_DICOM = "application/dicom"
_READ_BYTES = 262144
_IN_FLIGHT_MAX = 64  # objects of one request handed over and not yet durable
_IN_FLIGHT_BYTES_MAX = 64 << 20  # and their bytes
_LOGGED_MAX = 20  # refusals of one request that get a line each; a crowd must not fill the log
_HINT = 'send multipart/related; type="application/dicom"; boundary=..., or one file as application/dicom'


class Stow:
    """The handler of `POST /dicomweb/studies` and `POST /dicomweb/studies/{study}`."""

    def __init__(self, receiver: Receiver, site: str, telling: Telling | None = None) -> None:
        self._receiver = receiver
        self._site = site
        self._telling = telling

    def add_routes(self, router: Router) -> None:
        """Have the router send both paths here."""
        router.add("POST", "/dicomweb/studies", self.store)
        router.add("POST", "/dicomweb/studies/{study}", self.store)

    def store(self, request: Request) -> Response:
        """Store what the body holds; the answer tells what became of every object.

        Returns after all that it calls stored survives power loss. A failing object leaves the others stored.
        Raises NotAcceptable, UnsupportedMedia, BadRequest before anything is stored.
        """
        kind = choose_json(request)
        study_uid = request.params.get("study", "")
        files = _files(request)
        act = None if self._telling is None else self._telling.storing(actor(request))
        source = Source("stow", request.client[0], self._site, act)
        run = _Run(self._receiver, source, study_uid)
        try:
            run.take(files)
        finally:
            if act is not None:
                act.end()
        return answer(run.results, base_url(request), study_uid, kind)


@dataclass(frozen=True, slots=True)
class _File:
    """One object on its way in: its bytes, or why it is none of ours."""

    pieces: Iterable[bytes | memoryview]
    size_hint: int = 0
    refused: errors.FileroomError | None = None


def _files(request: Request) -> Iterator[_File]:
    """The files in a request's body. Raises UnsupportedMedia, BadRequest at once when it cannot hold any."""
    kind, parameters = media_type(request.headers.get("content-type", ""))
    if "content-encoding" in request.headers:
        raise errors.UnsupportedMedia("an encoded body is not taken", hint="send it without Content-Encoding")
    if kind == _DICOM:
        length = request.headers.get("content-length", "0")
        return iter([_File(_pieces(request.body), int(length))])
    if kind != "multipart/related":
        raise errors.UnsupportedMedia(f"{kind or 'a body without Content-Type'} is not taken here", hint=_HINT)
    inner = parameters.get("type", _DICOM).lower()
    if inner != _DICOM:
        raise errors.UnsupportedMedia(
            f"objects as {inner} with separate bulk data are not taken", hint=f"whole files are: {_HINT}"
        )
    return _parts(MultipartReader(request.body, parameters.get("boundary", "")))


def _pieces(body: Body) -> Iterator[bytes]:
    while piece := body.read(_READ_BYTES):
        yield piece


def _parts(reader: MultipartReader) -> Iterator[_File]:
    for part in reader:
        kind = part.headers.get("content-type", _DICOM).partition(";")[0].strip().lower()
        if kind == _DICOM:
            length = part.headers.get("content-length", "")
            yield _File(part.chunks(), int(length) if length.isdecimal() and len(length) < 12 else 0)
        else:
            yield _File((), refused=errors.UnsupportedMedia("a part that is not application/dicom"))


class _Run:
    """One request's objects, from the wire to their results."""

    def __init__(self, receiver: Receiver, source: Source, study_uid: str) -> None:
        self._receiver = receiver
        self._source = source
        self._study_uid = study_uid
        self._in_flight: deque[tuple[Pending, int]] = deque()
        self._in_flight_bytes = 0
        self._refused = 0
        self.results: list[Result] = []

    def take(self, files: Iterator[_File]) -> None:
        """Take every file; returns when each has its result.

        A body that breaks is a result too, when objects came before it; else its error is raised.
        """
        try:
            for file in files:
                self._take_one(file)
        except (errors.BadRequest, errors.TooLarge) as error:
            if not self.results and not self._in_flight:
                raise
            self._failed(error)
        while self._in_flight:
            self._wait_one()
        if self._refused > _LOGGED_MAX:
            log.info("objects refused", extra={"door": "stow", "peer": self._source.peer, "count": self._refused})
        if not self.results:
            raise errors.BadRequest("the body holds no object", hint=_HINT)

    def _take_one(self, file: _File) -> None:
        """Hand one file over. Its own faults become its result; those of the body as a whole are raised."""
        try:
            if file.refused is not None:
                raise file.refused
            with self._receiver.file(self._source, file.size_hint or None) as intake:
                size = _fill(intake, file.pieces)
                self._handed_over(intake.submit(self._study_uid), size)
        except (errors.BadRequest, errors.TooLarge):
            raise
        except _OBJECT_FAULTS as error:
            self._failed(error)

    def _handed_over(self, pending: Pending, size: int) -> None:
        self._in_flight.append((pending, size))
        self._in_flight_bytes += size
        while len(self._in_flight) > _IN_FLIGHT_MAX or self._in_flight_bytes > _IN_FLIGHT_BYTES_MAX:
            self._wait_one()

    def _wait_one(self) -> None:
        pending, size = self._in_flight.popleft()
        self._in_flight_bytes -= size
        try:
            self.results.append(_result(pending.wait()))
        except _OBJECT_FAULTS as error:
            self._failed(error, pending)

    def _failed(self, error: errors.FileroomError, known: Pending | None = None) -> None:
        """`known`: the object, when its header could be read before it failed."""
        self._refused += 1
        if self._refused <= _LOGGED_MAX:
            log.info("object refused", extra={"door": "stow", "peer": self._source.peer, "reason": str(error)})
        error.__traceback__ = error.__context__ = None  # they would keep every frame and buffer of this object
        named = error if isinstance(error, errors.WrongStudy) else known
        self.results.append(
            Result(
                sop_class_uid=named.sop_class_uid if named else "",
                sop_uid=named.sop_uid if named else "",
                failure=stow_status.failure(error).code,
                error=error,
            )
        )


# What can befall one object and leave its neighbours whole.
_OBJECT_FAULTS = (
    errors.RefusedObject,
    errors.UnsupportedMedia,
    errors.StorageFull,
    errors.Busy,
    errors.DatabaseUnavailable,
)


def _fill(intake: Intake, pieces: Iterable[bytes | memoryview]) -> int:
    size = 0
    for piece in pieces:
        intake.write(piece)
        size += len(piece)
    return size


def _result(receipt: Receipt) -> Result:
    reason = stow_status.not_stored(receipt.outcome)
    odd = bool(receipt.warnings) and receipt.outcome is Outcome.STORED
    return Result(
        receipt.study_uid,
        receipt.series_uid,
        receipt.sop_class_uid,
        receipt.sop_uid,
        failure=reason.code if reason else None,
        warning=stow_status.ODD if odd else None,
    )
