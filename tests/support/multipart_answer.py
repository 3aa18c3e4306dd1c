"""Reading a multipart/related answer with the standard library's own parser."""

from __future__ import annotations

import email.parser
import email.policy
from dataclasses import dataclass

from tests.support.asking import Answer


@dataclass(frozen=True)
class Piece:
    """One part."""

    media_type: str  # with parameters
    location: str
    body: bytes


def parts(answer: Answer) -> list[Piece]:
    """The parts of an answer, in order."""
    head = f"Content-Type: {answer.header('content-type')}\r\n\r\n".encode()
    boundary = answer.header("content-type").partition("boundary=")[2].encode()
    assert answer.body.endswith(b"--" + boundary + b"--\r\n")
    message = email.parser.BytesHeaderParser(policy=email.policy.HTTP).parsebytes(head)
    assert message.get_content_type() == "multipart/related"
    pieces = []
    for raw in answer.body.split(b"--" + boundary)[1:-1]:
        header, _, body = raw.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = email.parser.BytesHeaderParser(policy=email.policy.HTTP).parsebytes(header + b"\r\n\r\n")
        pieces.append(Piece(str(fields["content-type"]), str(fields["content-location"] or ""), body[:-2]))
    return pieces
