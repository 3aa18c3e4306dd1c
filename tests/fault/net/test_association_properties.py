"""Any bytes at all inside an association: whole messages or one error of ours, never anything else."""

from __future__ import annotations

import contextlib
import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom.dicom.syntax import EXPLICIT_LE
from fileroom.net import command, pdu
from fileroom.net.associate import Hello
from fileroom.net.association import Association, Context
from fileroom.net.failure import AssociationEnded
from fileroom.net.pdu import COMMAND, LAST
from fileroom.net.wire import Wire
from tests.support.doors import CT, IMPATIENT, data_pdu, fragment

CONTEXTS = {1: Context(1, CT, EXPLICIT_LE, False), 3: Context(3, CT, EXPLICIT_LE, False)}
REQUEST = command.store_request(1, CT, "1.2.3")

_pieces = st.one_of(
    st.binary(max_size=40),
    st.just(REQUEST),
    st.builds(lambda cut: REQUEST[:cut], st.integers(0, len(REQUEST))),
)
_fragments = st.builds(
    fragment,
    _pieces,
    st.sampled_from([1, 3, 5]),
    st.sampled_from([0, LAST, COMMAND, COMMAND | LAST, 255]),
    st.one_of(st.none(), st.none(), st.integers(0, 60), st.just(0xFFFFFFFF)),
)
_pdus = st.one_of(
    st.lists(_fragments, max_size=4).map(lambda parts: data_pdu(*parts)),
    st.just(data_pdu(fragment(REQUEST, flags=COMMAND | LAST))),
    st.just(data_pdu(fragment(b"data", flags=LAST))),
    st.sampled_from([pdu.RELEASE_RQ, pdu.RELEASE_RP, pdu.abort()]),
    st.binary(max_size=30),
)


class _Sink:
    """Counts."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, chunk: memoryview) -> None:
        self.size += len(chunk)

    def space(self, size: int) -> memoryview:
        assert size <= IMPATIENT.pdu_bytes_max
        return memoryview(bytearray(size))

    def wrote(self, size: int) -> None:
        self.size += size


@given(st.lists(_pdus, max_size=6))
@settings(max_examples=300)
def test_every_stream_of_bytes_is_messages_or_one_error(stream: list[bytes]) -> None:
    near, far = socket.socketpair()
    with far:
        far.sendall(b"".join(stream))
        far.shutdown(socket.SHUT_WR)
        association = Association(Wire(near, IMPATIENT), IMPATIENT, CONTEXTS, Hello("A", "B", 0))
        with contextlib.closing(near), contextlib.suppress(AssociationEnded):
            while (received := association.next_command()) is not None:
                sink = _Sink()
                if received[1].has_dataset:
                    assert association.receive(sink) == sink.size
