"""One association from its first byte to its last: admission, negotiation, then one request after another."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable

from fileroom.audit.actor import Actor
from fileroom.audit.event import Kind
from fileroom.audit.storing import Storing
from fileroom.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from fileroom.dimse.door import Archive, Caller, DoorSettings, admit
from fileroom.dimse.find import find
from fileroom.dimse.get import get
from fileroom.dimse.move import move
from fileroom.dimse.places import Places
from fileroom.dimse.services import Service, negotiate, service_of
from fileroom.dimse.status import SUCCESS, UNRECOGNIZED, UnsupportedService, query_status
from fileroom.dimse.store import store
from fileroom.dimse.tally import Tally
from fileroom.errors import DatabaseUnavailable
from fileroom.net import pdu
from fileroom.net.associate import Acceptance, Hello, Request, decode_request, encode_acceptance
from fileroom.net.association import Association, Context
from fileroom.net.command import RESPONSE, Command, Field, response
from fileroom.net.failure import AbortReason, AssociationEnded, ConnectionLost, PeerAborted, Violation
from fileroom.net.limits import ASSOCIATE_BYTES_MAX
from fileroom.net.pdu import Rejection
from fileroom.net.wire import Wire

_log = logging.getLogger("fileroom.dimse")

_SERVICE_OF_FIELD = {
    Field.C_ECHO: Service.VERIFY,
    Field.C_STORE: Service.STORE,
    Field.C_FIND: Service.FIND,
    Field.C_MOVE: Service.MOVE,
    Field.C_GET: Service.GET,
}


class Session:
    """One connection to the door, served by one thread: `run`. `stop` and `cut` are for other threads."""

    def __init__(
        self,
        connection: socket.socket,
        address: str,
        settings: DoorSettings,
        archive: Archive,
        places: Places,
        tally: Tally,
    ) -> None:
        self.address = address
        self.seated = False  # it has its place among the associations
        self._wire = Wire(connection, settings.limits)
        self._places = places
        self._settings = settings
        self._archive = archive
        self._tally = tally
        self._caller: Caller | None = None
        self._storing: Storing | None = None  # what it stores, for the ledger; None: nothing so far
        self._waiting = True  # nothing was asked that is not answered
        self._stopping = False
        self._lock = threading.Lock()
        self._answers: dict[Service, Callable[[Association, Context, Command, Caller], None]] = {
            Service.VERIFY: self._echo,
            Service.STORE: self._store,
            Service.FIND: self._find,
            Service.GET: self._get,
            Service.MOVE: self._move,
        }

    def stop(self) -> None:
        """End when the request being answered is answered; at once when there is none."""
        with self._lock:
            self._stopping = True
            if self._waiting:
                self._wire.wake()

    def cut(self) -> None:
        """End now, whatever is going on."""
        self._wire.cut()

    def run(self) -> None:
        """Serve the connection to its end. Never raises."""
        try:
            self._serve_and_tell()
        except PeerAborted as error:
            self._ended(error)
            self._wire.finish(b"", 1.0)
        except ConnectionLost as error:
            self._ended(error)
            self._wire.finish(pdu.abort(), 1.0)
        except Violation as error:
            self._ended(error)
            self._wire.finish(pdu.abort(error.reason), 2.0)
        except AssociationEnded as error:
            self._ended(error)
            self._wire.finish(pdu.abort(AbortReason.NOT_SPECIFIED), 2.0)
        except Exception as error:  # noqa: BLE001 - the last line of defence: one association ends, and the log says where
            where = "".join(traceback.format_tb(error.__traceback__))  # no message: it may quote what was sent
            _log.error(
                "association broke calling=%s address=%s error=%s\n%s", *self._who(), type(error).__name__, where
            )
            self._tally.count("broken")
            self._wire.finish(pdu.abort(), 1.0)

    def _serve_and_tell(self) -> None:
        try:
            self._serve()
        finally:
            if self._storing is not None:
                self._storing.end()

    def _ended(self, error: AssociationEnded) -> None:
        if self._stopping:
            _log.info("association ended by shutdown calling=%s address=%s", *self._who())
            return
        self._tally.count("aborted")
        _log.warning("association ended calling=%s address=%s reason=%s: %s", *self._who(), type(error).__name__, error)

    def _who(self) -> tuple[str, str]:
        """Calling AE title and address for the log, each a value of its own: a title may look like other fields."""
        return self._caller.title if self._caller else "-", self.address

    def _serve(self) -> None:
        self._wire.expect(self._settings.limits.artim_seconds, "an association request")
        request = self._read_request()
        admitted = self._admit(request)
        if isinstance(admitted, Rejection):
            self._reject(request, admitted)
            return
        self._caller = admitted
        association = self._accept(request)
        self._tally.count("accepted")
        begin = time.monotonic()
        while self._next(association, admitted):
            pass
        if self._stopping:
            association.abort()
        else:
            association.close()
        wire, seconds = self._wire, time.monotonic() - begin
        _log.info(
            "association over calling=%s address=%s seconds=%.3f bytes_in=%d bytes_out=%d",
            *self._who(),
            seconds,
            wire.bytes_in,
            wire.bytes_out,
        )

    def _admit(self, request: Request) -> Caller | Rejection:
        try:
            admitted = admit(request.hello, self.address, self._settings, self._archive.peers)
        except DatabaseUnavailable:
            return Rejection.CONGESTION
        if isinstance(admitted, Caller):
            self.seated = self._places.sit(self.address)
            if not self.seated:
                return Rejection.LOCAL_LIMIT
        return admitted

    def _read_request(self) -> Request:
        kind, length = self._wire.unpack(pdu.HEADER)
        if kind == pdu.PduType.ABORT:
            raise PeerAborted("the peer aborted before asking for an association")
        if kind != pdu.PduType.ASSOCIATE_RQ:
            raise Violation("the first PDU is no association request", AbortReason.UNEXPECTED_PDU)
        if length > ASSOCIATE_BYTES_MAX:
            raise Violation("an association request is longer than is taken")
        return decode_request(self._wire.take(length))

    def _reject(self, request: Request, why: Rejection) -> None:
        self._tally.count("rejected")
        _log.warning(
            "association rejected calling=%s called=%s address=%s reason=%s",
            request.hello.calling,
            request.hello.called,
            self.address,
            pdu.REJECTION_TEXT[why],
        )
        if (telling := self._archive.telling) is not None:
            actor = Actor(request.hello.calling, self.address, "dicom")
            telling.refused(actor, Kind.CONNECT, f"called {request.hello.called}: {pdu.REJECTION_TEXT[why]}")
        self._wire.finish(pdu.reject(why), min(2.0, self._settings.limits.artim_seconds))

    def _accept(self, request: Request) -> Association:
        answers, contexts, roles = negotiate(request)
        association = Association(self._wire, self._settings.limits, contexts, request.hello)
        hello = Hello(
            request.hello.called,
            request.hello.calling,
            self._settings.limits.pdu_bytes_max,
            IMPLEMENTATION_CLASS_UID,
            IMPLEMENTATION_VERSION_NAME,
            roles,
        )
        self._wire.send(encode_acceptance(Acceptance(hello, answers)))
        _log.info(
            "association accepted calling=%s address=%s contexts=%d/%d", *self._who(), len(contexts), len(answers)
        )
        return association

    def _next(self, association: Association, caller: Caller) -> bool:
        """Answer one request; False when there is none to come."""
        with self._lock:
            self._waiting = True
            if self._stopping:
                return False
        received = association.next_command()
        with self._lock:
            self._waiting = False
        if received is None:
            return False
        context, request = received
        if request.field == Field.C_CANCEL:
            return True  # for a request that is answered already
        service = _SERVICE_OF_FIELD.get(Field(request.field)) if request.field in _FIELDS else None
        if service is None or service_of(context.abstract_syntax) is not service:
            self._refuse(association, context, request, known=service is not None)
        else:
            self._answers[service](association, context, request, caller)
        return True

    def _refuse(self, association: Association, context: Context, request: Command, known: bool) -> None:
        if request.field & RESPONSE:
            raise Violation("a response came to nothing that was asked", AbortReason.UNEXPECTED_PARAMETER)
        if request.has_dataset:
            association.skip()
        status = query_status(UnsupportedService("not this context's service")) if known else UNRECOGNIZED
        association.send(context.context_id, response(request, status.code, status.comment))

    def _echo(self, association: Association, context: Context, request: Command, caller: Caller) -> None:
        association.send(context.context_id, response(request, SUCCESS.code))
        self._tally.count("echo")

    def _store(self, association: Association, context: Context, request: Command, caller: Caller) -> None:
        if not request.has_dataset:
            raise Violation("a C-STORE request without a dataset")
        if self._storing is None and (telling := self._archive.telling) is not None:
            self._storing = telling.storing(caller.actor)
        status = store(association, context, request, caller, self._archive.receiver, self._storing)
        self._tally.count("stored" if status.code == 0 else "refused")

    def _find(self, association: Association, context: Context, request: Command, caller: Caller) -> None:
        find(association, context, request, caller, self._archive, self._settings.ae_title)
        self._tally.count("find")

    def _get(self, association: Association, context: Context, request: Command, caller: Caller) -> None:
        sent = get(association, context, request, caller, self._archive)
        self._tally.count("get")
        self._tally.count("sent", sent)

    def _move(self, association: Association, context: Context, request: Command, caller: Caller) -> None:
        sent = move(association, context, request, caller, self._archive, self._settings.ae_title)
        self._tally.count("move")
        self._tally.count("sent", sent)


_FIELDS = frozenset(field.value for field in Field)
