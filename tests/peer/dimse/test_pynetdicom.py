"""pynetdicom against the door: what each outcome is told as, cancelling, roles, rights, odd requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_CANCEL
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from fileroom.archive.peers import ALL, May, Peer
from tests.support.archives import CT, SOURCE, ct, encoded
from tests.support.doors import VERIFICATION, Door, running_door

PRIVATE = "1.3.6.1.4.1.99999.1"
Call = Callable[..., Association]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as running:
        yield running


@pytest.fixture
def call(door: Door) -> Iterator[Call]:
    """Call it with abstract syntaxes for an association, released at the end."""
    made: list[Association] = []

    def connect(*abstract: str, title: str = "PYNETDICOM", **options: object) -> Association:
        entity = AE(ae_title=title)
        for uid in abstract:
            entity.add_requested_context(UID(uid), [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        made.append(entity.associate("127.0.0.1", door.port, ae_title="FILEROOM", **options))  # type: ignore[arg-type]
        return made[-1]

    yield connect
    for association in made:
        if association.is_established:
            association.release()


def _store(association: Association, dataset: Dataset) -> Dataset:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    status = association.send_c_store(dataset)
    assert isinstance(status, Dataset)
    return status


def test_every_outcome_has_its_status(call: Call, door: Door) -> None:
    association = call(CT)
    changed, elsewhere = ct(1), ct(2, patient="P2")
    changed.PatientSex = "O"
    answers = [_store(association, dataset) for dataset in (ct(1), ct(1), changed, elsewhere, ct(3))]
    assert [answer.Status for answer in answers] == [0x0000, 0x0000, 0x0111, 0xC110, 0x0000]
    assert "kept for a person" in answers[2].ErrorComment
    assert "kept for a person" in answers[3].ErrorComment
    assert len(door.archive.retriever.instances("1.2.9.1")) == 2


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_an_object_that_cannot_be_placed_is_refused_and_the_association_goes_on(call: Call, keyword: str) -> None:
    association = call(CT)
    nowhere = ct(1)
    delattr(nowhere, keyword)
    refused = _store(association, nowhere)
    assert refused.Status >> 12 == 0xC
    assert refused.ErrorComment
    assert _store(association, ct(2)).Status == 0


def test_a_dataset_that_is_not_what_its_command_names_is_refused(call: Call, door: Door) -> None:
    association = call(CT)
    dataset = ct(1)
    original = association.dimse.send_msg

    def renamed(primitive: object, context_id: int) -> None:
        primitive.AffectedSOPInstanceUID = "1.2.3.9999"  # type: ignore[attr-defined]
        original(primitive, context_id)  # type: ignore[arg-type]

    association.dimse.send_msg = renamed  # type: ignore[method-assign,assignment]
    assert _store(association, dataset).Status == 0xA900
    assert door.archive.retriever.by_sop_uids(["1.2.3.9999", dataset.SOPInstanceUID]) == []


def test_private_classes_are_kept(call: Call, door: Door) -> None:
    dataset = ct(1)
    dataset.SOPClassUID = PRIVATE
    assert _store(call(PRIVATE), dataset).Status == 0
    assert door.archive.retriever.instances("1.2.9.1")[0].sop_class_uid == PRIVATE


def _identifier(level: str, **keys: str) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def _fill(door: Door, count: int) -> None:
    waiting = []
    for number in range(1, count + 1):
        dataset = ct(number)
        intake = door.archive.receiver.dataset(SOURCE, ExplicitVRLittleEndian, CT, dataset.SOPInstanceUID, "X")
        intake.write(encoded(dataset))
        waiting.append(intake.submit())
    for pending in waiting:
        pending.wait()


def test_keys_that_are_not_known_come_back_empty_with_a_warning(call: Call, door: Door) -> None:
    door.archive.store(ct(1))
    association = call(PatientRootQueryRetrieveInformationModelFind)
    keys = _identifier("PATIENT", PatientID="P1", PatientName="", PatientComments="x")
    answers = list(association.send_c_find(keys, PatientRootQueryRetrieveInformationModelFind))
    assert [status.Status for status, _ in answers] == [0xFF01, 0x0000]
    assert answers[0][1].PatientComments == ""
    assert answers[0][1].PatientName == "Test^P1"


def test_a_find_without_a_level_is_refused(call: Call) -> None:
    association = call(StudyRootQueryRetrieveInformationModelFind)
    keys = Dataset()
    keys.StudyInstanceUID = ""
    answers = list(association.send_c_find(keys, StudyRootQueryRetrieveInformationModelFind))
    assert [status.Status for status, _ in answers] == [0xA900]
    assert association.is_established


def test_a_get_delivers_only_where_the_scp_role_was_agreed(door: Door) -> None:
    door.archive.store(ct(1))
    got: list[str] = []

    def received(event: evt.Event) -> int:
        got.append(event.dataset.SOPInstanceUID)
        return 0

    def get(with_role: bool) -> Dataset:
        entity = AE(ae_title="GETTER")
        entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
        entity.add_requested_context(UID(CT), ExplicitVRLittleEndian)
        roles = [build_role(UID(CT), scp_role=True)] if with_role else []
        association = entity.associate(
            "127.0.0.1",
            door.port,
            ext_neg=roles,
            evt_handlers=[(evt.EVT_C_STORE, received)],  # type: ignore[arg-type]
        )
        keys = _identifier("STUDY", StudyInstanceUID="1.2.9.1")
        *_, (status, _) = association.send_c_get(keys, StudyRootQueryRetrieveInformationModelGet)
        association.release()
        return status

    assert get(with_role=False).Status == 0xA702
    assert got == []
    assert get(with_role=True).Status == 0x0000
    assert got == ["1.2.9.1.1.1"]


def test_a_get_is_cancelled_between_two_objects(door: Door) -> None:
    _fill(door, 40)
    entity = AE(ae_title="GETTER")
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_requested_context(UID(CT), ExplicitVRLittleEndian)
    got = 0

    def received(event: evt.Event) -> int:
        nonlocal got
        got += 1
        if got == 3:
            cancel = C_CANCEL()
            cancel.MessageIDBeingRespondedTo = 5
            event.assoc.dimse.send_msg(cancel, 1)
        return 0

    role = build_role(UID(CT), scp_role=True)
    handlers = [(evt.EVT_C_STORE, received)]
    association = entity.associate("127.0.0.1", door.port, ext_neg=[role], evt_handlers=handlers)  # type: ignore[arg-type]
    keys = _identifier("STUDY", StudyInstanceUID="1.2.9.1")
    *_, (status, _) = association.send_c_get(keys, StudyRootQueryRetrieveInformationModelGet, msg_id=5)
    association.release()
    assert status.Status == 0xFE00
    assert status.NumberOfCompletedSuboperations == got < 40
    assert status.NumberOfRemainingSuboperations == 40 - got


def _move(association: Association, destination: str, **keys: str) -> tuple[Dataset, Dataset | None]:
    identifier = _identifier("STUDY", **keys)
    *_, last = association.send_c_move(identifier, destination, StudyRootQueryRetrieveInformationModelMove, msg_id=77)
    return last


def test_a_move_to_a_stranger_is_refused(call: Call, door: Door) -> None:
    door.archive.store(ct(1))
    status, _ = _move(call(StudyRootQueryRetrieveInformationModelMove), "STRANGER", StudyInstanceUID="1.2.9.1")
    assert status.Status == 0xA801


def test_a_move_counts_honestly_and_names_what_failed(call: Call, door: Door, free_port: Callable[[], int]) -> None:
    for number in (1, 2, 3):
        door.archive.store(ct(number))
    originators = []
    answers = {"1.2.9.1.1.1": 0x0000, "1.2.9.1.1.2": 0xB007, "1.2.9.1.1.3": 0xA700}

    def received(event: evt.Event) -> int:
        originators.append((event.request.MoveOriginatorApplicationEntityTitle, event.request.MoveOriginatorMessageID))
        return answers[event.request.AffectedSOPInstanceUID]

    receiver = AE(ae_title="DEST")
    receiver.add_supported_context(UID(CT), ExplicitVRLittleEndian)
    port = free_port()
    server = receiver.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, received)])
    try:
        door.peers.add(Peer("DEST", "127.0.0.1", port, "main", ALL))
        association = call(StudyRootQueryRetrieveInformationModelMove)
        status, failed = _move(association, "DEST", StudyInstanceUID="1.2.9.1")
    finally:
        server.shutdown()
    assert status.Status == 0xB000
    counts = [status[f"NumberOf{name}Suboperations"].value for name in ("Completed", "Warning", "Failed")]
    assert counts == [1, 1, 1]
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == "1.2.9.1.1.3"
    assert originators == [("PYNETDICOM", 77)] * 3


def test_a_move_to_a_peer_that_is_away_fails_for_every_object(
    call: Call, door: Door, free_port: Callable[[], int]
) -> None:
    door.archive.store(ct(1))
    door.archive.store(ct(2))
    door.peers.add(Peer("AWAY", "127.0.0.1", free_port(), "main", ALL))
    status, failed = _move(call(StudyRootQueryRetrieveInformationModelMove), "AWAY", StudyInstanceUID="1.2.9.1")
    assert (status.Status, status.NumberOfFailedSuboperations) == (0xA702, 2)
    assert failed is not None
    assert sorted(failed.FailedSOPInstanceUIDList) == ["1.2.9.1.1.1", "1.2.9.1.1.2"]


def test_a_move_of_what_is_not_here_is_an_empty_success(call: Call, door: Door) -> None:
    door.peers.add(Peer("DEST", "127.0.0.1", 4, "main", ALL))
    status, _ = _move(call(StudyRootQueryRetrieveInformationModelMove), "DEST", StudyInstanceUID="1.2.9.404")
    assert (status.Status, status.NumberOfCompletedSuboperations) == (0, 0)


def test_a_peer_does_only_what_it_may(call: Call, door: Door) -> None:
    door.peers.add(Peer("ASKER", "127.0.0.1", 104, "north", frozenset({May.FIND})))
    asker = call(CT, StudyRootQueryRetrieveInformationModelFind, title="ASKER")
    assert _store(asker, ct(1)).Status == 0x0124
    keys = _identifier("STUDY", StudyInstanceUID="")
    assert [s.Status for s, _ in asker.send_c_find(keys, StudyRootQueryRetrieveInformationModelFind)] == [0]


def test_an_object_belongs_to_the_site_of_the_peer_that_sent_it(call: Call, door: Door) -> None:
    door.peers.add(Peer("NORTH_CT", "127.0.0.1", 104, "north", ALL))
    assert _store(call(CT, title="NORTH_CT"), ct(1)).Status == 0
    assert _store(call(CT), ct(2)).Status == 0xC110


def test_a_request_on_a_context_for_something_else_is_refused(call: Call) -> None:
    association = call(VERIFICATION, CT)
    dataset = ct(1)
    dataset.SOPClassUID = VERIFICATION
    assert _store(association, dataset).Status == 0x0122
    assert association.send_c_echo().Status == 0


def test_an_operation_that_is_not_offered_is_told_so(call: Call) -> None:
    association = call(PRIVATE)
    status, _ = association.send_n_get([], UID(PRIVATE), UID("1.2.3"), meta_uid=None)
    assert status.Status == 0x0211
