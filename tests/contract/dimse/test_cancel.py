"""C-CANCEL while matches are streaming, and what must not come while a request is being answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from fileroom.net import command, pdu
from fileroom.net.command import NO_DATASET, Field, Tag
from fileroom.net.failure import AbortReason
from tests.support.archives import CT, EXPLICIT_LE, SOURCE, ct, encoded
from tests.support.doors import STUDY_FIND, VERIFICATION, Door, RawPeer, data_pdu, fragment, running_door

COUNT = 600


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door to an archive with one study of COUNT objects."""
    home: Path = tmp_path_factory.mktemp("cancel")
    with running_door(home) as running:
        waiting = []
        for number in range(1, COUNT + 1):
            dataset = ct(number)
            intake = running.archive.receiver.dataset(SOURCE, EXPLICIT_LE, CT, dataset.SOPInstanceUID, "X")
            intake.write(encoded(dataset))
            waiting.append(intake.submit())
        for pending in waiting:
            pending.wait()
        yield running


def _find() -> bytes:
    keys = Dataset()
    keys.QueryRetrieveLevel = "IMAGE"
    keys.SOPInstanceUID = keys.PatientName = keys.SeriesDescription = keys.StudyInstanceUID = ""
    identifier = encode(keys, False, True)
    assert identifier is not None
    elements: dict[int, bytes | int | str] = {
        Tag.SOP_CLASS_UID: STUDY_FIND,
        Tag.COMMAND_FIELD: Field.C_FIND,
        Tag.MESSAGE_ID: 7,
        Tag.PRIORITY: 0,
        Tag.DATASET_TYPE: 1,
    }
    head = fragment(command.encode(elements), flags=pdu.COMMAND | pdu.LAST)
    return data_pdu(head) + data_pdu(fragment(identifier))


def _cancel(message_id: int) -> bytes:
    elements: dict[int, bytes | int | str] = {
        Tag.COMMAND_FIELD: Field.C_CANCEL,
        Tag.ANSWERED_ID: message_id,
        Tag.DATASET_TYPE: NO_DATASET,
    }
    return data_pdu(fragment(command.encode(elements), flags=pdu.COMMAND | pdu.LAST))


def _statuses(peer: RawPeer) -> list[int]:
    """The statuses of the responses up to the final one."""
    found: list[int] = []
    while not found or found[-1] in (0xFF00, 0xFF01):
        kind, body = peer.pdu()
        assert kind == pdu.PduType.DATA
        if body[5] & pdu.COMMAND:
            found.append(command.decode(body[6:]).status)
    return found


def test_without_a_cancel_every_match_comes(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND)
        peer.send(_find())
        assert _statuses(peer) == [0xFF00] * COUNT + [0]


def test_a_cancel_stops_the_matches_and_the_association_goes_on(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND)
        peer.send(_find() + _cancel(7))
        found = _statuses(peer)
        assert found[-1] == 0xFE00
        assert len(found) < COUNT
        peer.send(_find())
        assert len(_statuses(peer)) == COUNT + 1


def test_a_cancel_of_another_request_changes_nothing(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND)
        peer.send(_find() + _cancel(8))
        assert len(_statuses(peer)) == COUNT + 1


def test_a_cancel_that_comes_too_late_is_dropped(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND)
        peer.send(_cancel(7) + _find())
        assert len(_statuses(peer)) == COUNT + 1


def test_a_second_request_before_the_first_is_answered_ends_the_association(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND, VERIFICATION)
        peer.send(_find() + data_pdu(fragment(command.echo_request(8), 3, pdu.COMMAND | pdu.LAST)))
        assert peer.ended() == AbortReason.UNEXPECTED_PARAMETER


def test_peers_with_small_pdus_get_their_matches_in_pieces(door: Door) -> None:
    with RawPeer(door.address) as peer:
        peer.associate(STUDY_FIND, pdu_bytes_max=160)
        peer.send(_find())
        longest = pieces = 0
        while True:
            kind, body = peer.pdu()
            assert kind == pdu.PduType.DATA
            longest, pieces = max(longest, len(body)), pieces + 1
            if body[5] == pdu.COMMAND | pdu.LAST and command.decode(body[6:]).status == 0:
                break
        assert longest <= 160
        assert pieces > 2 * COUNT
