"""One running Fileroom: the rooms, the DICOM door and the web door, opened and closed in order."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import sys
import time

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.document_warmer import DocumentWarmer
from fileroom.archive.documents import Documents
from fileroom.archive.word_maker import WordMaker
from fileroom.demo.demonstration import Demonstration
from fileroom.dicomweb.links import bulk_url
from fileroom.dimse.door import Archive, DoorSettings
from fileroom.dimse.server import DimseServer
from fileroom.errors import BadSetting
from fileroom.ops import health, locks, options
from fileroom.ops.app import web_app
from fileroom.ops.limits import net_limits, web_limits
from fileroom.ops.metrics import Metrics
from fileroom.ops.rooms import Rooms, open_rooms
from fileroom.reading.live import Live
from fileroom.settings import Address, Settings, is_loopback
from fileroom.web.server import WebServer

log = logging.getLogger("fileroom.ops")

# How long a thread may keep the interpreter while others wait: short, so that a small question is answered between
# the pieces of a large one.
_SWITCH_SECONDS = 0.0005
_GC_THRESHOLDS = (20_000, 20, 50)  # few objects of a request are in cycles


class Server:
    """Everything one `fileroom serve` runs. `start` once, `stop` once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = contextlib.ExitStack()  # what to undo, in reverse
        self._web: WebServer | None = None
        self._dicom: DimseServer | None = None

    @property
    def web(self) -> Address:
        """Where the web door listens."""
        return Address(*self._web.address) if self._web else self.settings.web

    @property
    def dicom(self) -> Address:
        """Where the DICOM door listens."""
        return Address(*self._dicom.address) if self._dicom else self.settings.dicom

    def start(self) -> None:
        """Open everything and return once both doors listen.

        Raises BadSetting, InUse, StorageFull, DatabaseUnavailable; nothing is left open then.
        """
        refuse_open_web(self.settings.web)
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            self._open()
        except BaseException:
            self._closing.close()
            raise
        gc.collect()
        gc.freeze()  # what is here now stays: the collector need not walk it again and again
        gc.set_threshold(*_GC_THRESHOLDS)

    def _open(self) -> None:
        settings, closing = self.settings, self._closing
        options.make_home(settings)
        lock = locks.ServerLock(settings.home)
        closing.callback(lock.release)
        metrics = Metrics()
        rooms = closing.enter_context(open_rooms(settings, metrics))
        documents = Documents(rooms.database, rooms.retriever, settings.cache / "documents", bulk_url)
        self._open_doors(rooms, documents, metrics)
        warmer = DocumentWarmer(rooms.database, documents, lambda: f"http://{self.web}/dicomweb")
        warmer.start()
        closing.callback(warmer.stop)
        words = WordMaker(rooms.database)
        words.start()
        closing.callback(words.stop)
        rooms.routing.start()
        closing.callback(rooms.routing.stop, settings.drain_seconds)
        started_ms = time.time_ns() // 1_000_000
        lock.write(locks.Running(os.getpid(), str(self.web), str(self.dicom), settings.ae_title, started_ms))
        log.info("started", extra={"web": str(self.web), "dicom": str(self.dicom), "pid": os.getpid()})

    def _open_doors(self, rooms: Rooms, documents: Documents, metrics: Metrics) -> None:
        settings, closing = self.settings, self._closing
        dicom = DimseServer(door_settings(settings), behind_dicom(rooms))
        self._watch(metrics, rooms, dicom)
        live = Live(rooms.database)
        check = _health(settings, rooms, dicom)
        demonstration = Demonstration(
            rooms.database, rooms.packs, settings.home, settings.cache / "documents", settings.site
        )
        closing.callback(demonstration.stop)
        app, tell = web_app(settings, rooms, documents, metrics, check, live, demonstration, self._addresses)
        web = WebServer((settings.web.host, settings.web.port), app, web_limits(settings), tell)
        dicom.start()
        self._dicom = dicom
        closing.callback(dicom.stop, settings.drain_seconds)
        web.start()
        self._web = web
        closing.callback(web.stop, settings.drain_seconds)
        live.start()
        closing.callback(live.stop)  # first: its streams end only then

    def _addresses(self) -> tuple[Address, Address]:
        return self.web, self.dicom

    def _watch(self, metrics: Metrics, rooms: Rooms, dicom: DimseServer) -> None:
        def packed(what: sa.ColumnElement[int]) -> float:
            with rooms.database.read() as connection:
                return float(connection.execute(sa.select(sa.func.coalesce(what, 0))).scalar_one())

        pack = schema.pack.c
        packs = self.settings.packs
        metrics.dicom(lambda: dicom.stats)
        metrics.sends(rooms.routing.counts)
        metrics.gauge(
            "fileroom_queue_objects", "Objects handed over, not yet durable", lambda: rooms.receiver.committer.depth
        )
        metrics.gauge("fileroom_pack_bytes", "Bytes in packs", lambda: packed(sa.func.sum(pack.size_bytes)))
        metrics.gauge("fileroom_packs", "Packs", lambda: packed(sa.func.count(pack.id)))
        metrics.gauge("fileroom_free_bytes", "Free space where packs lie", lambda: shutil.disk_usage(packs).free)

    def stop(self) -> None:
        """Take nothing new, let what is under way finish for the drain time, close everything."""
        log.info("stopping", extra={"drain_seconds": self.settings.drain_seconds})
        self._closing.close()
        log.info("stopped")


def _health(settings: Settings, rooms: Rooms, dicom: DimseServer) -> health.Health:
    return health.Health(
        [
            health.database_check(rooms.database),
            health.packs_check(settings),
            health.Check("archive", lambda: "" if rooms.receiver.committer.alive else "objects cannot be kept"),
            health.Check("sends", lambda: "" if rooms.routing.alive else "nothing is sent on"),
            health.Check("ledger", lambda: rooms.book.trouble),
            health.Check("dicom", lambda: "" if dicom.alive else "no connections are taken"),
        ]
    )


def behind_dicom(rooms: Rooms) -> Archive:
    """The rooms that the DICOM door works with."""
    return Archive(
        receiver=rooms.receiver,
        search=rooms.search,
        retriever=rooms.retriever,
        peers=rooms.peers,
        transcode=rooms.transcode,
        telling=rooms.telling,
    )


def door_settings(settings: Settings) -> DoorSettings:
    """How the DICOM door listens and whom it lets in."""
    return DoorSettings(
        host=settings.dicom.host,
        port=settings.dicom.port,
        ae_title=settings.ae_title,
        site=settings.site,
        associations_max=settings.dimse_associations_max,
        limits=net_limits(settings),
    )


def refuse_open_web(address: Address) -> None:
    """Raises BadSetting unless the web address can be reached from this machine only."""
    if is_loopback(address.host):
        return
    raise BadSetting(
        f"the web address {address} can be reached from other machines, and there is no sign-in yet",
        hint="use 127.0.0.1, and reach it from elsewhere through `ssh -L 8080:127.0.0.1:8080 HOST`",
    )
