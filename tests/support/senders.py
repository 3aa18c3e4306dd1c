"""Sends objects to a server through both doors and fetches them back, saying what was acknowledged."""

from __future__ import annotations

import hashlib
import http.client
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fileroom.net.client import Client, Wish
from tests.support.corpus import Instance
from tests.support.fileroom import FileroomServer

BOUNDARY = "fileroom-test-boundary"
ONE_AS_STORED = "application/dicom; transfer-syntax=*"


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said of one object."""

    sop_uid: str
    acknowledged: bool
    status: int  # of DIMSE; through STOW the Failure Reason, 0 when stored
    http: int = 0


def c_store(server: FileroomServer, objects: Sequence[Instance], *, title: str = "SENDER") -> Iterator[Said]:
    """C-STORE one after the other on one association; each is sent when its answer is asked for.

    Raises PeerUnavailable when the server goes away.
    """
    wishes = list(dict.fromkeys(Wish(one.sop_class_uid, (one.transfer_syntax,)) for one in objects))
    with Client.connect(("127.0.0.1", server.dicom), title, server.aet, wishes) as client:
        for one in objects:
            context = client.context_for(one.sop_class_uid, one.transfer_syntax)
            assert context is not None, "the server did not take this kind of object"
            answer = client.store(context, one.sop_uid, one.dataset)
            yield Said(one.sop_uid, answer.status == 0, answer.status)


def stow(server: FileroomServer, objects: Sequence[Instance]) -> list[Said]:
    """One STOW-RS request. Raises ConnectionError or HTTPException when the server goes away."""
    pieces = [piece for one in objects for piece in _part(one)] + [f"--{BOUNDARY}--\r\n".encode()]
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    status, answer = post(server, pieces, kind)
    return said(status, answer, [one.sop_uid for one in objects])


def _part(one: Instance) -> list[bytes | memoryview]:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return [head, one.prefix, *one.parts, b"\r\n"]


def said(status: int, answer: Any, sop_uids: Iterable[str]) -> list[Said]:
    """What a STOW-RS answer says of each object that was sent."""
    stored = {_uid(item) for item in _items(answer, "00081199")}
    reasons = {_uid(item): item["00081197"]["Value"][0] for item in _items(answer, "00081198")}
    unnamed = [item["00081197"]["Value"][0] for item in _items(answer, "0008119A")]
    found = []
    for uid in sop_uids:
        reason = 0 if uid in stored else reasons.get(uid) or (unnamed[0] if unnamed else -1)
        found.append(Said(uid, uid in stored, reason, status))
    return found


def _items(answer: Any, tag: str) -> list[Any]:
    return answer.get(tag, {}).get("Value", []) if isinstance(answer, dict) else []


def _uid(item: Any) -> str:
    return str(item["00081155"]["Value"][0])


def post(
    server: FileroomServer, pieces: Sequence[bytes | memoryview], kind: str, *, timeout_seconds: float = 60
) -> tuple[int, Any]:
    """POST to the studies resource; status, and the answer when it is JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=timeout_seconds)
    try:
        headers = {"Content-Type": kind, "Content-Length": str(sum(map(len, pieces)))}
        connection.request("POST", "/dicomweb/studies", body=iter(pieces), headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if "json" in (answer.headers.get("content-type") or "") else None
    finally:
        connection.close()


def fetch(server: FileroomServer, one: Instance, accept: str = ONE_AS_STORED) -> bytes | None:
    """The Part 10 file as stored, by WADO-RS; None when the server does not have it."""
    path = f"/dicomweb/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}"
    status, body = get(server, path, accept)
    assert status in (200, 404), (status, body[:500])
    return body if status == 200 else None


def get(server: FileroomServer, path: str, accept: str, *, timeout_seconds: float = 60) -> tuple[int, bytes]:
    """Status and whole body. Raises when the body is shorter than announced."""
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=timeout_seconds)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def dataset_digest(part10: bytes) -> str:
    """SHA-256 of the dataset in a Part 10 file whose meta information states its length (PS3.10 7.1), hex."""
    assert part10[128:132] == b"DICM"
    assert part10[132:138] == b"\x02\0\0\0UL"
    (size,) = struct.unpack_from("<I", part10, 140)
    return hashlib.sha256(memoryview(part10)[144 + size :]).hexdigest()
