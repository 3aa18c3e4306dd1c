"""The small PDUs, with pynetdicom as the judge."""

from __future__ import annotations

import pytest
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ

from fileroom.net import pdu
from fileroom.net.failure import AbortReason
from fileroom.net.pdu import Rejection


@pytest.mark.parametrize("why", Rejection)
def test_pynetdicom_reads_every_rejection(why: Rejection) -> None:
    read = A_ASSOCIATE_RJ()
    read.decode(pdu.reject(why))
    assert (read.result, read.source, read.reason_diagnostic) == tuple(int(why).to_bytes(3, "big"))
    assert read.reason_str != "(Reserved)"


@pytest.mark.parametrize("reason", AbortReason)
def test_pynetdicom_reads_every_abort(reason: AbortReason) -> None:
    read = A_ABORT_RQ()
    read.decode(pdu.abort(reason))
    assert (read.source, read.reason_diagnostic) == (2, reason)


def test_a_rejection_is_put_in_words_whatever_its_bytes() -> None:
    assert pdu.rejection_text(pdu.reject(Rejection.LOCAL_LIMIT)[6:]) == "local limit exceeded (for now)"
    assert pdu.rejection_text(pdu.reject(Rejection.CALLED_AE_TITLE)[6:]) == "called AE title not recognized (for good)"
    assert pdu.rejection_text(b"\0\1\7\7") == "source 7, reason 7 (for good)"
