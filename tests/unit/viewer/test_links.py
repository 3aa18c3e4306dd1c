"""Links into the viewer say what it needs to hang a study."""

from __future__ import annotations

from fileroom.viewer.links import viewer_path


def test_a_study_opens_by_its_uid() -> None:
    assert viewer_path(["1.2.3"], ["CT"]) == "/viewer/viewer?StudyInstanceUIDs=1.2.3"
    assert viewer_path(["1.2.3", "1.2.4"], {"CT", "SR"}) == "/viewer/viewer?StudyInstanceUIDs=1.2.3,1.2.4"


def test_a_mammogram_hangs_by_protocol_and_beside_its_prior_when_one_is_named() -> None:
    alone = "/viewer/viewer?StudyInstanceUIDs=1.2.3&hangingProtocolId=fileroom-mammography"
    assert viewer_path(["1.2.3"], ["MG"]) == alone
    assert viewer_path(["1.2.3", "1.2"], ["MG", "SR"]) == (
        "/viewer/viewer?StudyInstanceUIDs=1.2.3,1.2&hangingProtocolId=fileroom-mammography&stageId=current-beside-prior"
    )


def test_a_uid_that_is_not_one_cannot_leave_its_place() -> None:
    assert viewer_path(['1"><script>&x=1#'], []) == "/viewer/viewer?StudyInstanceUIDs=1%22%3E%3Cscript%3E%26x%3D1%23"
