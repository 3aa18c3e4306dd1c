"""What the DICOM door tells the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from fileroom.audit.event import Kind, Outcome
from fileroom.errors import PeerUnavailable
from fileroom.net.client import Client, Wish
from tests.support.doors import CT, running_door
from tests.support.told import told_by


def test_a_refused_association_is_told(tmp_path: Path) -> None:
    with running_door(tmp_path, any_called_title_on_loopback=False) as door:
        for _ in range(3):
            with pytest.raises(PeerUnavailable):
                Client.connect(door.address, "STRANGER", "WRONG", [Wish(CT, ("1.2.840.10008.1.2.1",))])
        first, last = told_by(door)
    assert (first.kind, first.outcome, first.who, first.via) == (Kind.CONNECT, Outcome.REFUSED, "STRANGER", "127.0.0.1")
    assert first.why.startswith("called WRONG: ")
    assert (last.outcome, last.objects, last.act) == (Outcome.REFUSED, 3, first.act)
