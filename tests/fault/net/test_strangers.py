"""A door that other machines reach: the addresses 127.0.0.2 and on stand for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.archive.peers import ALL, Peer
from fileroom.dimse.places import WAITING_PER_ADDRESS_MAX
from fileroom.net import command, pdu
from fileroom.net.pdu import COMMAND, LAST, Rejection
from tests.support.doors import VERIFICATION, Door, RawPeer, association_request, data_pdu, fragment, running_door

KNOWN, STRANGER = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Listens everywhere; knows CT_1 at 127.0.0.2."""
    with running_door(tmp_path, host="0.0.0.0") as running:
        running.peers.add(Peer("CT_1", KNOWN, 104, "main", ALL))
        yield running


def _rejected(peer: RawPeer) -> int:
    kind, body = peer.pdu()
    assert kind == pdu.PduType.ASSOCIATE_RJ
    return int.from_bytes(body[1:], "big")


def test_only_a_known_title_from_its_own_address_is_answered(door: Door) -> None:
    for calling, source in (("CT_1", STRANGER), ("CT_2", KNOWN), ("CT_1", "127.0.0.1")):
        with RawPeer(door.address, source=source) as peer:
            peer.send(association_request(VERIFICATION, calling=calling))
            assert _rejected(peer) == Rejection.CALLING_AE_TITLE
    with RawPeer(door.address, source=KNOWN) as peer:
        peer.associate(VERIFICATION, calling="CT_1")


def test_another_called_title_is_rejected(door: Door) -> None:
    with RawPeer(door.address, source=KNOWN) as peer:
        peer.send(association_request(VERIFICATION, calling="CT_1", called="ANY-SCP"))
        assert _rejected(peer) == Rejection.CALLED_AE_TITLE


def test_one_address_that_connects_and_says_nothing_keeps_nobody_out(door: Door) -> None:
    silent = [RawPeer(door.address, source=STRANGER) for _ in range(WAITING_PER_ADDRESS_MAX)]
    try:
        with RawPeer(door.address, source=STRANGER) as one_more:
            assert _rejected(one_more) == Rejection.LOCAL_LIMIT
        with RawPeer(door.address, source=KNOWN) as peer:
            peer.associate(VERIFICATION, calling="CT_1")
            peer.send(data_pdu(fragment(command.echo_request(1), 1, COMMAND | LAST)))
            assert peer.pdu()[0] == pdu.PduType.DATA
    finally:
        for peer in silent:
            peer.socket.close()
