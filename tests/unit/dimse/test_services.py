"""What is accepted of what is proposed."""

from __future__ import annotations

import pytest
from pydicom.uid import UID_dictionary

from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE, SYNTAXES
from fileroom.dimse.services import OFFERS, Service, negotiate, service_of
from fileroom.net.associate import ContextResult, Hello, Proposal, Request, Role

CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"


def _negotiated(*proposals: Proposal, roles: tuple[Role, ...] = ()):  # type: ignore[no-untyped-def]
    return negotiate(Request(Hello("A", "B", 0, roles=roles), proposals))


@pytest.mark.parametrize("uid", sorted(STORAGE_CLASSES))
def test_every_storage_class_of_the_standard_is_taken(uid: str) -> None:
    assert service_of(uid) is Service.STORE


@pytest.mark.parametrize("uid", ["1.2.276.0.7230010.3.1.0.1", "2.25.1", "1.2.840.10008.5.1.4.1.1.999.1"])
def test_private_classes_and_those_newer_than_the_table_are_taken(uid: str) -> None:
    assert service_of(uid) is Service.STORE


def test_every_other_service_of_the_standard_is_not() -> None:
    others = {
        uid
        for uid, (name, kind, _, _, keyword) in UID_dictionary.items()
        if kind in ("SOP Class", "Meta SOP Class", "Service Class")
        and keyword
        and "Storage" not in name
        and uid not in STORAGE_CLASSES
        and uid not in OFFERS
    }
    assert len(others) > 60
    assert {uid for uid in others if service_of(uid) is not None} == set()
    assert service_of("1.2.840.10008.1.20.1") is None  # storage commitment is not storage


@pytest.mark.parametrize("uid", sorted(SYNTAXES))
def test_every_transfer_syntax_of_the_standard_is_taken(uid: str) -> None:
    answers, contexts, _ = _negotiated(Proposal(1, CT, (uid,)))
    assert answers[0].result == ContextResult.ACCEPTED
    assert contexts[1].transfer_syntax == uid


def test_the_first_known_syntax_wins() -> None:
    answers, _, _ = _negotiated(Proposal(1, CT, ("1.2.3.4", JPEG_BASELINE, EXPLICIT_LE)))
    assert answers[0].transfer_syntax == JPEG_BASELINE


def test_what_is_not_taken_says_why() -> None:
    answers, contexts, _ = _negotiated(
        Proposal(1, CT, ("1.2.3.4",)),
        Proposal(3, "1.2.840.10008.5.1.4.31", (IMPLICIT_LE,)),  # modality worklist
        Proposal(5, FIND, (JPEG_BASELINE,)),
        Proposal(7, CT, ()),
    )
    kinds = ContextResult
    assert [answer.result for answer in answers] == [
        kinds.TRANSFER_SYNTAXES,
        kinds.ABSTRACT_SYNTAX,
        kinds.TRANSFER_SYNTAXES,
        kinds.TRANSFER_SYNTAXES,
    ]
    assert contexts == {}


def test_the_scp_role_is_given_for_storage_alone() -> None:
    roles = (Role(CT, False, True), Role(FIND, True, True), Role("1.2.840.10008.5.1.4.1.1.4", True, True))
    _, contexts, agreed = _negotiated(Proposal(1, CT, (EXPLICIT_LE,)), Proposal(3, FIND, (EXPLICIT_LE,)), roles=roles)
    assert agreed == (Role(CT, False, True), Role(FIND, True, False))
    assert (contexts[1].we_may_request, contexts[3].we_may_request) == (True, False)
