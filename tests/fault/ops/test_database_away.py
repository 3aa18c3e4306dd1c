"""PostgreSQL stops and comes back while objects arrive: senders are told, nothing acknowledged is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator

import pytest

from fileroom.errors import PeerUnavailable
from tests.support import peers
from tests.support.corpus import ct_slice, visit
from tests.support.fileroom import FileroomServer
from tests.support.ingest import Ingest, Ledger, lost_or_broken, send_again
from tests.support.postgres import PostgresServer
from tests.support.senders import c_store, get, stow
from tests.support.truth import disagreements, served

CLEAR = {0xA700, 0xA702}  # out of storage, index not available: both say that nothing was acknowledged

StartFileroom = Callable[..., FileroomServer]


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    """One of this test's own, to be stopped."""
    try:
        server = PostgresServer()
    except peers.MissingPeer as error:
        peers.skip_or_fail(error)
        raise
    yield server
    server.close()


def test_a_database_that_goes_and_comes_back_during_ingest_costs_nothing_acknowledged(
    postgresql: PostgresServer, start_fileroom: StartFileroom
) -> None:
    server = start_fileroom(FILEROOM_DATABASE_URL=postgresql.new_database())
    ledger = Ledger()
    ingest = Ingest(server, ledger, "away", objects=100, large=1)
    ledger.wait_for(lambda: len(ledger.acknowledged) >= 40)
    postgresql.kill()
    ledger.wait_for(lambda: len(ledger.refused) >= 8)
    status, body = get(server, "/readyz", "application/json")
    assert status == 503
    assert json.loads(body)["checks"]["database"] != "ok"
    assert get(server, "/healthz", "application/json")[0] == 200
    assert get(server, "/dicomweb/studies", "application/dicom+json")[0] == 503
    postgresql.restart()
    ingest.join()
    assert set(ledger.refused.values()) <= CLEAR
    server.running.wait_until(lambda: idle_for_a_second(server), 20)
    send_again(server, ledger)
    assert lost_or_broken(server, ledger) == []
    assert disagreements(server) == []
    assert served(server) == len(ledger.sent) == len(ledger.acknowledged)


def test_each_door_says_that_the_database_is_away_and_goes_on_when_it_is_back(
    postgresql: PostgresServer, start_fileroom: StartFileroom
) -> None:
    server = start_fileroom(FILEROOM_DATABASE_URL=postgresql.new_database())
    one, two, three = (ct_slice(visit("ct", 5), 5, number) for number in (1, 2, 3))
    association = c_store(server, [one, two, two, three])
    assert next(association).acknowledged
    postgresql.process.stop()
    assert next(association).status == 0xA702
    (said,) = stow(server, [two])
    assert (said.status, said.http) == (0xA702, 503)
    with pytest.raises(PeerUnavailable, match="temporary"):  # who calls cannot be looked up
        next(c_store(server, [two], title="ANOTHER"))
    postgresql.restart()
    server.running.wait_until(lambda: idle_for_a_second(server), 20)
    assert [said.status for said in association] == [0, 0]
    assert served(server) == 3
    assert disagreements(server) == []


def test_a_database_that_was_restarted_while_nobody_asked_is_not_noticed(
    postgresql: PostgresServer, start_fileroom: StartFileroom
) -> None:
    server = start_fileroom(FILEROOM_DATABASE_URL=postgresql.new_database())
    objects = [ct_slice(visit("ct", 6), 6, number) for number in (1, 2, 3)]
    association = c_store(server, objects)
    assert next(association).acknowledged
    postgresql.restart()
    server.running.wait_until(lambda: idle_for_a_second(server), 20)
    assert [said.status for said in association] == [0, 0]
    assert stow(server, objects)[0].acknowledged
    assert get(server, "/dicomweb/studies", "application/dicom+json")[0] == 200


def idle_for_a_second(server: FileroomServer) -> bool:
    """A second in which only this is asked, which goes through the pool."""
    threading.Event().wait(1.1)
    return server.ready()


def test_a_stop_while_the_database_is_away_ends_and_the_next_start_goes_on(
    postgresql: PostgresServer, start_fileroom: StartFileroom
) -> None:
    server = start_fileroom(FILEROOM_DATABASE_URL=postgresql.new_database())
    ledger = Ledger()
    ingest = Ingest(server, ledger, "stopped", objects=80, large=0)
    ledger.wait_for(lambda: len(ledger.acknowledged) >= 20)
    postgresql.kill()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    ingest.join()
    stopping.join(30)
    assert not server.running.alive()
    postgresql.restart()
    server.start()
    assert lost_or_broken(server, ledger) == []
    send_again(server, ledger)
    assert disagreements(server) == []
