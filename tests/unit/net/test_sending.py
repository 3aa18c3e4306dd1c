"""How a message is cut into PDUs."""

from __future__ import annotations

import pytest

from fileroom.net import pdu
from fileroom.net.sending import fragment_bytes, pdus


def _fragments(raw: bytes) -> list[tuple[int, int, int, bytes]]:
    """(PDU length, context, flags, data) of each PDU, which must hold one fragment each."""
    found = []
    at = 0
    while at < len(raw):
        kind, length = pdu.HEADER.unpack_from(raw, at)
        size, context_id, flags = pdu.PDV_HEADER.unpack_from(raw, at + 6)
        assert (kind, size) == (pdu.PduType.DATA, length - 4)
        found.append((length, context_id, flags, raw[at + 12 : at + 6 + length]))
        at += 6 + length
    return found


@pytest.mark.parametrize("size", [0, 1, 121, 122, 123, 243, 244, 245, 1000])
def test_no_pdu_is_longer_than_the_peer_takes_and_the_last_fragment_says_so(size: int) -> None:
    data = bytes(i % 251 for i in range(size))
    found = _fragments(pdus(data, 5, fragment_bytes(128), pdu.COMMAND))
    assert b"".join(piece for _, _, _, piece in found) == data
    assert all(length <= 128 and context_id == 5 for length, context_id, _, _ in found)
    assert [flags for _, _, flags, _ in found] == [pdu.COMMAND] * (len(found) - 1) + [pdu.COMMAND | pdu.LAST]


def test_a_peer_without_a_bound_still_gets_bounded_pdus() -> None:
    assert fragment_bytes(0) == fragment_bytes(1 << 32) == 256 * 1024 - 6
