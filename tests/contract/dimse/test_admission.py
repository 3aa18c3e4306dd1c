"""Who is let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fileroom import migrations
from fileroom.archive.peers import ALL, May, Peer, Peers
from fileroom.database import Database
from fileroom.dimse.door import Caller, DoorSettings, admit
from fileroom.net.associate import Hello
from fileroom.net.pdu import Rejection
from fileroom.settings import is_loopback

HELLO = Hello("FILEROOM", "CT_1", 0)
LOOPBACK = DoorSettings(host="127.0.0.1", site="main")
OPEN = DoorSettings(host="0.0.0.0", site="main")


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    """One peer: CT_1 at 192.0.2.7, of site north, which may store."""
    database = Database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    migrations.upgrade(database)
    peers = Peers(database)
    peers.add(Peer("CT_1", "192.0.2.7", 104, "north", frozenset({May.STORE})))
    yield peers
    database.close()


def test_off_loopback_a_known_title_from_its_address_comes_in(peers: Peers) -> None:
    assert admit(HELLO, "192.0.2.7", OPEN, peers) == Caller("CT_1", "192.0.2.7", "north", frozenset({May.STORE}))


@pytest.mark.parametrize(
    ("calling", "address"), [("CT_1", "192.0.2.8"), ("CT_2", "192.0.2.7"), ("CT_1", "127.0.0.1"), ("", "192.0.2.7")]
)
def test_off_loopback_nobody_else_does(peers: Peers, calling: str, address: str) -> None:
    assert admit(replace(HELLO, calling=calling), address, OPEN, peers) is Rejection.CALLING_AE_TITLE


def test_on_loopback_anybody_on_this_machine_comes_in_with_the_default_site(peers: Peers) -> None:
    hello = replace(HELLO, calling="STORESCU", called="ANY-SCP")
    assert admit(hello, "127.0.0.1", LOOPBACK, peers) == Caller("STORESCU", "127.0.0.1", "main", ALL)


def test_another_called_title_is_rejected_off_loopback_and_on_it_when_so_set(peers: Peers) -> None:
    hello = replace(HELLO, called="SOMEBODY")
    strict = replace(LOOPBACK, any_called_title_on_loopback=False)
    assert admit(hello, "192.0.2.7", OPEN, peers) is Rejection.CALLED_AE_TITLE
    assert admit(hello, "127.0.0.1", strict, peers) is Rejection.CALLED_AE_TITLE


def test_another_protocol_is_rejected(peers: Peers) -> None:
    assert admit(replace(HELLO, protocol_version=2), "192.0.2.7", OPEN, peers) is Rejection.PROTOCOL_VERSION
    assert admit(replace(HELLO, application_context="1.2"), "192.0.2.7", OPEN, peers) is Rejection.APPLICATION_CONTEXT


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"])
def test_what_counts_as_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ct1.lan", ""])
def test_what_does_not(host: str) -> None:
    assert not is_loopback(host)
