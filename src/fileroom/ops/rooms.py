"""The archive's rooms, opened on a home: what the server and `import` work with."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fileroom.archive.binding import bind
from fileroom.archive.decode import Decoder
from fileroom.archive.heal import heal
from fileroom.archive.packs import Packs
from fileroom.archive.peers import Peers
from fileroom.archive.receive import Receiver
from fileroom.archive.retrieve import FileRange, Retriever, StoredInstance
from fileroom.archive.scratch import Scratch
from fileroom.archive.search import Search
from fileroom.archive.telling import Telling
from fileroom.audit.book import Book
from fileroom.audit.checkpoints import Checkpoints
from fileroom.database import Database
from fileroom.ops import locks, options
from fileroom.ops.limits import net_limits, receive_limits, routing_limits, worker_limits
from fileroom.ops.metrics import Metrics
from fileroom.routing.delivery import Sender
from fileroom.routing.packing import Transcode
from fileroom.routing.routing import Routing
from fileroom.settings import Settings

log = logging.getLogger("fileroom.ops")


@dataclass(frozen=True, slots=True)
class Rooms:
    """One archive, open for reading and writing."""

    database: Database
    packs: Packs
    receiver: Receiver
    search: Search
    retriever: Retriever
    decoder: Decoder
    peers: Peers
    transcode: Transcode
    routing: Routing  # its threads are started by the server alone
    book: Book
    telling: Telling


@contextmanager
def open_rooms(settings: Settings, metrics: Metrics | None = None) -> Iterator[Rooms]:
    """Bring the home up to date, put right what a crash left, and take objects in until the end.

    Raises BadSetting, InUse while the index is being rebuilt, StorageFull, DatabaseUnavailable.
    """
    options.make_home(settings)
    with options.open_database(settings, make=True) as database:
        packs = Packs(settings.packs)
        bind(database, packs)
        with locks.writing(settings.home, lambda: _put_right(database, packs)):
            receiver = Receiver(database, packs, receive_limits(settings), metrics)
            scratch = Scratch(settings.cache, settings.scratch_bytes_max)
            decoder = Decoder(worker_limits(settings), scratch)
            retriever, peers = Retriever(database, packs, scratch), Peers(database)

            def transcode(stored: StoredInstance, target_uid: str) -> FileRange:
                return decoder.transcode(retriever.file(stored), target_uid, stored.image).dataset

            sender = Sender(settings.ae_title, retriever, transcode, net_limits(settings))
            book = Book(database, Checkpoints(database, settings.home, settings.second_checkpoints))
            telling = Telling(book, database)
            book.start()
            receiver.start()
            try:
                yield Rooms(
                    database=database,
                    packs=packs,
                    receiver=receiver,
                    search=Search(database),
                    retriever=retriever,
                    decoder=decoder,
                    peers=peers,
                    transcode=transcode,
                    routing=Routing(database, peers, sender, routing_limits(settings), telling),
                    book=book,
                    telling=telling,
                )
            finally:
                receiver.stop()
                decoder.close()
                book.stop()


def _put_right(database: Database, packs: Packs) -> None:
    report = heal(database, packs)
    if report.objects_indexed or report.packs_closed or report.findings:
        log.warning(
            "put right after a crash",
            extra={
                "objects_indexed": report.objects_indexed,
                "packs_closed": report.packs_closed,
                "findings": len(report.findings),
            },
        )
