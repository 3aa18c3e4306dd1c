"""The peer record, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fileroom import migrations
from fileroom.archive.peers import ALL, May, Peer, Peers
from fileroom.database import Database
from fileroom.errors import BadRequest, NotFound

CT = Peer("CT_1", "127.0.0.1", 104, "main", frozenset({May.STORE}))


@pytest.fixture
def peers(database_url: str) -> Iterator[Peers]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield Peers(database)
    database.close()


def test_what_was_added_is_found_and_listed(peers: Peers) -> None:
    assert peers.add(CT)
    assert peers.add(replace(CT, ae_title="A_1", may=ALL))
    assert peers.find("CT_1") == CT
    assert [peer.ae_title for peer in peers.all()] == ["A_1", "CT_1"]


def test_adding_it_again_changes_it(peers: Peers) -> None:
    peers.add(CT)
    assert not peers.add(replace(CT, port=11113))
    assert peers.find("CT_1") == replace(CT, port=11113)


def test_a_title_is_compared_without_padding_and_by_case(peers: Peers) -> None:
    peers.add(CT)
    assert peers.find("CT_1   ") == CT
    assert peers.find("ct_1") is None


def test_what_was_removed_is_gone(peers: Peers) -> None:
    peers.add(CT)
    peers.remove("CT_1 ")
    assert peers.find("CT_1") is None
    with pytest.raises(NotFound):
        peers.remove("CT_1")


def test_a_caller_is_known_by_title_and_address_together(peers: Peers) -> None:
    peers.add(CT)
    assert peers.calling("CT_1", "127.0.0.1") == CT
    assert peers.calling("CT_1", "::ffff:127.0.0.1") == CT
    assert peers.calling("CT_1", "127.0.0.2") is None
    assert peers.calling("CT_2", "127.0.0.1") is None


def test_a_caller_may_be_known_by_a_name_that_resolves(peers: Peers) -> None:
    peers.add(replace(CT, host="localhost"))
    assert peers.calling("CT_1", "127.0.0.1") is not None


def test_a_name_that_does_not_resolve_lets_nobody_in(peers: Peers) -> None:
    peers.add(replace(CT, host="ct-1.invalid"))
    assert peers.calling("CT_1", "127.0.0.1") is None


def test_nothing_is_recorded_of_a_peer_that_cannot_be_one(peers: Peers) -> None:
    for bad in (replace(CT, ae_title=""), replace(CT, host=""), replace(CT, port=0)):
        with pytest.raises(BadRequest):
            peers.add(bad)
    assert peers.all() == []
