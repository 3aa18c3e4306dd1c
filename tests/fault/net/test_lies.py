"""Peers that lie, stall, vanish or talk nonsense: each costs itself alone, and everyone else is still served."""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.net import command, pdu
from fileroom.net.client import VERIFICATION, Client, Wish
from fileroom.net.command import NO_DATASET, Field, Tag
from fileroom.net.failure import AbortReason
from fileroom.net.pdu import COMMAND, LAST, Rejection
from tests.support.archives import ct, encoded
from tests.support.doors import (
    CT,
    IMPATIENT,
    Door,
    RawPeer,
    association_request,
    data_pdu,
    fragment,
    running_door,
    until,
)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home: Path = tmp_path_factory.mktemp("lies")
    with running_door(home, limits=IMPATIENT, associations_max=4) as running:
        yield running


@pytest.fixture(autouse=True)
def _others_are_still_served(door: Door) -> Iterator[None]:
    """After every attack: an echo is answered, nothing is left open, nothing broke that we did not expect."""
    yield
    assert until(lambda: door.server.stats.open == 0)
    with Client.connect(door.address, "NEXT", "FILEROOM", [Wish(VERIFICATION, ("1.2.840.10008.1.2",))]) as client:
        assert client.echo() == 0
    assert "broken" not in door.counts()


def _store_command(sop_uid: str = "1.2.9.1.1.1", flags: int = COMMAND | LAST, context_id: int = 1) -> bytes:
    return fragment(command.store_request(1, CT, sop_uid), context_id, flags)


def _status(peer: RawPeer) -> int:
    kind, body = peer.pdu()
    assert kind == pdu.PduType.DATA
    return command.decode(body[6:]).status


# Before the association


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        pdu.HEADER.pack(pdu.PduType.DATA, 6) + b"\0\0\0\2\1\3",
        pdu.RELEASE_RQ,
        pdu.HEADER.pack(pdu.PduType.ASSOCIATE_RQ, 0xFFFFFFFF),
        pdu.HEADER.pack(pdu.PduType.ASSOCIATE_RQ, 4) + b"abcd",
        association_request(CT)[:-20] + bytes(20),
    ],
    ids=["HTTP", "TLS", "data first", "release first", "four gigabytes", "too short", "a broken item"],
)
def test_what_is_no_association_request_is_aborted(door: Door, said: bytes) -> None:
    with RawPeer(door.address) as peer:
        peer.send(said)
        assert peer.ended() > 0


def test_thousands_of_contexts_are_aborted(door: Door) -> None:
    context = struct.pack(">BxH", 0x20, 12) + b"\1\0\0\0" + struct.pack(">BxH", 0x30, 4) + b"1.2\0"
    body = association_request(CT)[6:74] + context * 20_000
    with RawPeer(door.address) as peer:
        peer.send(pdu.HEADER.pack(pdu.PduType.ASSOCIATE_RQ, len(body)) + body)
        assert peer.ended() == AbortReason.INVALID_PARAMETER


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "one byte at a time"])
def test_a_connection_that_does_not_ask_is_closed_in_time(door: Door, drip: bool) -> None:
    begin = time.monotonic()
    with RawPeer(door.address) as peer:
        assert _goes_away(peer, association_request(CT) if drip else b"", 3)
    assert time.monotonic() - begin < 2


def _goes_away(peer: RawPeer, drip: bytes, seconds: float) -> bool:
    """Whether the door ends the connection within the time while a byte comes every 50 ms."""
    peer.socket.settimeout(0.05)
    raw = iter(drip)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if (byte := next(raw, None)) is not None:
                peer.send(bytes([byte]))
            peer.socket.recv(1)
        except TimeoutError:
            continue
        except ConnectionError:
            return True
        return True
    return False


def test_one_association_too_many_is_rejected_for_now(door: Door) -> None:
    peers = [RawPeer(door.address) for _ in range(5)]
    try:
        for peer in peers[:4]:
            peer.associate(CT)
        peers[4].send(association_request(CT))
        assert peers[4].pdu() == (pdu.PduType.ASSOCIATE_RJ, b"\0" + int(Rejection.LOCAL_LIMIT).to_bytes(3, "big"))
        peers[0].send(pdu.RELEASE_RQ)
        assert peers[0].pdu()[0] == pdu.PduType.RELEASE_RP
        peers[0].socket.close()
        assert until(lambda: door.server.stats.open == 3)
        with RawPeer(door.address) as another:
            another.associate(CT)
    finally:
        for peer in peers:
            peer.socket.close()


def test_a_peer_whose_pdus_are_too_small_to_use_is_aborted(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.send(association_request(CT, pdu_bytes_max=7))
        assert peer.ended() == AbortReason.INVALID_PARAMETER


# Inside the association


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (pdu.HEADER.pack(9, 4) + bytes(4), AbortReason.UNRECOGNIZED_PDU),
        (association_request(CT), AbortReason.UNEXPECTED_PDU),
        (pdu.RELEASE_RP, AbortReason.UNEXPECTED_PDU),
        (pdu.HEADER.pack(pdu.PduType.DATA, IMPATIENT.pdu_bytes_max + 1), AbortReason.INVALID_PARAMETER),
        (pdu.HEADER.pack(pdu.PduType.DATA, 0xFFFFFFFF), AbortReason.INVALID_PARAMETER),
        (pdu.HEADER.pack(pdu.PduType.DATA, 0), AbortReason.INVALID_PARAMETER),
        (data_pdu(_store_command()) + data_pdu(b"\0\0\0\2"), AbortReason.INVALID_PARAMETER),
        (data_pdu(fragment(b"abcd", length=1)), AbortReason.INVALID_PARAMETER),
        (data_pdu(fragment(b"abcd", length=7)), AbortReason.INVALID_PARAMETER),
        (data_pdu(fragment(b"abcd", length=0xFFFFFFFF)), AbortReason.INVALID_PARAMETER),
        (data_pdu(_store_command(context_id=5)), AbortReason.INVALID_PARAMETER),
        (data_pdu(fragment(b"abcd")), AbortReason.UNEXPECTED_PARAMETER),
        (data_pdu(_store_command(), fragment(b"ab", 3)), AbortReason.INVALID_PARAMETER),
        (data_pdu(_store_command(), _store_command()), AbortReason.UNEXPECTED_PARAMETER),
        (data_pdu(_store_command(flags=COMMAND), _store_command(context_id=3)), AbortReason.INVALID_PARAMETER),
        (data_pdu(_store_command()) + pdu.RELEASE_RQ, AbortReason.UNEXPECTED_PDU),
        (data_pdu(fragment(b"noise", flags=COMMAND | LAST)), AbortReason.INVALID_PARAMETER),
        (data_pdu(fragment(bytes(60_000), flags=COMMAND)) * 2, AbortReason.INVALID_PARAMETER),
        (data_pdu(_store_command()) + data_pdu(fragment(b"", flags=0)) * 400, AbortReason.NOT_SPECIFIED),
        (data_pdu(_store_command()) + data_pdu(fragment(bytes(60_000), flags=0)) * 20, AbortReason.NOT_SPECIFIED),
    ],
    ids=[
        "unknown PDU",
        "a second association request",
        "a release answer",
        "a PDU one byte too long",
        "a PDU of four gigabytes",
        "an empty PDU",
        "half a fragment header",
        "a fragment shorter than its header",
        "a fragment longer than its PDU",
        "a fragment of four gigabytes",
        "a context never accepted",
        "a dataset without a command",
        "a dataset on another context",
        "a command inside a dataset",
        "a command on two contexts",
        "a release inside a dataset",
        "noise as a command",
        "a command without end",
        "empty fragments without end",
        "a dataset without end",
    ],
)
def test_what_breaks_the_protocol_is_aborted_with_its_reason(door: Door, said: bytes, reason: AbortReason) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(CT, VERIFICATION)
        peer.send(said)
        assert peer.ended() == reason


def test_a_response_to_nothing_is_aborted(door: Door) -> None:
    elements: dict[int, bytes | int | str] = {
        Tag.COMMAND_FIELD: Field.C_STORE | 0x8000,
        Tag.ANSWERED_ID: 1,
        Tag.DATASET_TYPE: NO_DATASET,
        Tag.STATUS: 0,
    }
    with RawPeer(door.address) as peer:
        peer.associate(CT)
        peer.send(data_pdu(fragment(command.encode(elements), flags=COMMAND | LAST)))
        assert peer.ended() == AbortReason.UNEXPECTED_PARAMETER


def test_fragments_of_any_size_in_pdus_of_any_size_are_one_dataset(door: Door) -> None:
    raw = encoded(ct(41, pixels=bytes(range(256)) * 40))
    request = command.store_request(1, CT, "1.2.9.1.1.41")
    dice = random.Random(5)
    fragments = [fragment(request[:9], flags=COMMAND), fragment(b"", flags=COMMAND)]
    fragments.append(fragment(request[9:], flags=COMMAND | LAST))
    at = 0
    while at < len(raw):
        size = dice.choice([0, 1, 2, 3, 50, 700, 5000])
        fragments.append(fragment(raw[at : at + size], flags=0))
        at += size
    fragments.append(fragment(b"", flags=LAST))
    stream = b""
    while fragments:
        count = dice.randint(1, 4)
        stream += data_pdu(*fragments[:count])
        del fragments[:count]
    with RawPeer(door.address) as peer:
        peer.associate(CT)
        for begin in range(0, len(stream), 1371):
            peer.send(stream[begin : begin + 1371])
        assert _status(peer) == 0
    (stored,) = door.archive.retriever.by_sop_uids(["1.2.9.1.1.41"])
    assert door.archive.retriever.dataset(stored).read() == raw


def test_a_silent_association_is_aborted_in_time(door: Door) -> None:
    begin = time.monotonic()
    with RawPeer(door.address) as peer:
        peer.associate(CT)
        assert peer.ended() >= 0
    assert 0.4 < time.monotonic() - begin < 2.5


@pytest.mark.parametrize(
    "said",
    [
        b"\4",
        data_pdu(_store_command())[:40],
        data_pdu(_store_command()),
        data_pdu(_store_command(), fragment(b"x", flags=0)),
    ],
    ids=["inside a header", "inside a command", "before a dataset", "inside a dataset"],
)
def test_a_peer_that_stops_in_the_middle_is_aborted_in_time(door: Door, said: bytes) -> None:
    begin = time.monotonic()
    with RawPeer(door.address) as peer:
        peer.associate(CT)
        peer.send(said)
        assert peer.ended() >= 0
    assert time.monotonic() - begin < 2.5


def test_a_pdu_that_comes_byte_by_byte_is_aborted_in_time(door: Door) -> None:
    begin = time.monotonic()
    with RawPeer(door.address) as peer:
        peer.associate(CT)
        peer.send(data_pdu(_store_command()) + pdu.HEADER.pack(pdu.PduType.DATA, 60_000))
        peer.send(pdu.PDV_HEADER.pack(59_996, 1, 0))
        assert _goes_away(peer, b"x" * 1000, 5)
    assert time.monotonic() - begin < 2.5


def test_a_peer_that_vanishes_in_the_middle_of_an_object_leaves_nothing(door: Door) -> None:
    raw = encoded(ct(77, pixels=bytes(50_000)))
    for end in (10, len(raw) // 2, len(raw) - 1):
        with RawPeer(door.address) as peer:
            peer.associate(CT)
            peer.send(data_pdu(_store_command("1.2.9.1.1.77")) + data_pdu(fragment(raw, flags=LAST))[: end + 12])
            reset = struct.pack("ii", 1, 0)  # instead of an orderly close
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    assert until(lambda: door.server.stats.open == 0)
    assert door.archive.retriever.by_sop_uids(["1.2.9.1.1.77"]) == []


def test_an_announced_length_takes_no_memory(door: Door) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peers = [RawPeer(door.address) for _ in range(4)]
    for peer in peers:
        peer.send(pdu.HEADER.pack(pdu.PduType.ASSOCIATE_RQ, 1 << 20) + bytes(100))
    time.sleep(0.2)
    for peer in peers:
        peer.socket.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4 * 1024  # KiB


def test_random_damage_to_a_good_conversation_never_breaks_the_door(door: Door) -> None:
    raw = encoded(ct(99))
    good = association_request(CT, VERIFICATION) + data_pdu(_store_command("1.2.9.1.1.99")) + data_pdu(fragment(raw))
    good += data_pdu(fragment(command.echo_request(2), 3, COMMAND | LAST)) + pdu.RELEASE_RQ
    seed = int(os.environ.get("FILEROOM_SEED", "20261124"))
    dice = random.Random(seed)
    for _ in range(150):
        damaged = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        with RawPeer(door.address) as peer:
            try:
                peer.send(bytes(damaged[: dice.randint(1, len(damaged))]))
                peer.socket.shutdown(socket.SHUT_WR)
                peer.ended()
            except ConnectionError:
                continue
    assert "broken" not in door.counts(), f"seed {seed}"
