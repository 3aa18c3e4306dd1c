"""Which presentation contexts a C-MOVE or a send proposes."""

from __future__ import annotations

from fileroom.archive.retrieve import StoredInstance
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE
from fileroom.routing.packing import batches


def _stored(sop_class: str, transfer_syntax: str) -> StoredInstance:
    return StoredInstance("1", "1", "1", sop_class, transfer_syntax, 1, 0, 0, 0, "", None)


def test_stored_and_native_syntaxes_are_proposed_apart() -> None:
    ((batch, wishes),) = batches([_stored("1.2.3", JPEG_BASELINE), _stored("1.2.3", EXPLICIT_LE)])
    assert len(batch) == 2
    proposed = [(wish.abstract_syntax, wish.transfer_syntaxes) for wish in wishes]
    assert proposed == [("1.2.3", (uid,)) for uid in (JPEG_BASELINE, EXPLICIT_LE, IMPLICIT_LE)]


def test_more_contexts_than_one_association_has_are_spread_over_several() -> None:
    instances = [_stored(f"1.2.{n}", JPEG_BASELINE) for n in range(100)]
    found = list(batches(instances))
    assert [stored for batch, _ in found for stored in batch] == instances
    assert len(found) == 3
    assert all(len(wishes) <= 128 for _, wishes in found)
