"""Series metadata documents (PS3.18 10.4.1.1.2): the DICOM JSON of every instance of a series, made once.

A document belongs to a series, its revision, and the address its bulk data URIs point to. It is a shadow: made from
stored headers, kept as files, plain and gzip, that may be deleted at any time.
"""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import orjson
import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.document_files import DocumentFiles
from fileroom.archive.packs import FileRange
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.archive.select import visible
from fileroom.database import Database, Prepared
from fileroom.dicom.to_json import to_json
from fileroom.errors import MalformedObject

FORMAT = 1  # of the documents: raise it when to_json writes something else

_GZIP_LEVEL = 3  # 100 slices: 3 ms; level 6 takes three times as long to save a tenth
_SERIES, _STUDY = schema.series.c, schema.study.c

BulkUri = Callable[[str, StoredInstance], str]  # from a base address, where an instance's bulk values are served

log = logging.getLogger("fileroom.archive")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is sent."""

    etag: str  # without quotes; changes whenever a byte does
    body: bytes | FileRange


@lru_cache(maxsize=64)
def version(base: str) -> str:
    """What tells documents of one object apart: the address their URIs build on, and the format."""
    return f"{sha256(base.encode()).hexdigest()[:8]}-{FORMAT}"


@dataclass(frozen=True, slots=True)
class _Key:
    """What a series document is made for."""

    pk: int
    revision: int
    series_uid: str
    base: str  # the address its bulk data URIs build on

    @property
    def name(self) -> str:
        return f"{self.pk:x}-{self.revision:x}-{version(self.base)}"


class Documents:
    """Makes, keeps and finds documents. Thread-safe; concurrent requests for one series make it once."""

    def __init__(
        self,
        database: Database,
        retriever: Retriever,
        folder: Path,
        bulk_uri: BulkUri,
        size_bytes_max: int = 2 << 30,
    ) -> None:
        self._retriever = retriever
        self._bulk_uri = bulk_uri
        self.last_base = ""  # the address somebody asked under most recently; "" until then
        self._files = DocumentFiles(folder, size_bytes_max)
        statement = (
            sa.select(_SERIES.id, _SERIES.revision, _SERIES.series_uid)
            .select_from(schema.series.join(schema.study, _STUDY.id == _SERIES.study_pk))
            .where(visible(), _STUDY.study_uid == sa.bindparam("study"))
        )
        order = (_SERIES.series_number.is_(None), sa.func.length(_SERIES.series_number), _SERIES.series_number)
        self._of_study = Prepared(database, statement.order_by(*order, _SERIES.id))
        self._of_series = Prepared(database, statement.where(_SERIES.series_uid == sa.bindparam("series")))
        self._making: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def etag(self, study_uid: str, series_uid: str | None, base: str) -> str | None:
        """The validator of a series' (or a whole study's) document as it would be made now; None: not here."""
        keys = self._keys(study_uid, series_uid, base)
        return _etag(keys) if keys else None

    def series(self, study_uid: str, series_uid: str, base: str, *, gzip: bool = False) -> Document | None:
        """One series' document; None when it is not here. Made now unless it is kept. Raises DamagedPack."""
        keys = self._keys(study_uid, series_uid, base)
        if not keys:
            return None
        body = self._body(study_uid, keys[0], gzip)
        return Document(_etag(keys), body)

    def study(self, study_uid: str, base: str, *, gzip: bool = False) -> list[Document] | None:
        """The documents of every series of a study, in order; None when it is not here.

        With `gzip` at most one document: of a study with several series the concatenation.
        """
        keys = self._keys(study_uid, None, base)
        if not keys:
            return None
        etag = _etag(keys)
        if not gzip or len(keys) == 1:
            return [Document(etag, self._body(study_uid, key, gzip)) for key in keys]
        name = f"s{etag}.gz"
        kept = self._files.get(name)
        if kept is None:
            with self._only_one(name):
                kept = self._files.get(name)
                if kept is None:
                    pieces = [_content(self._body(study_uid, key, False)) for key in keys]
                    packed = _gzip(b"[" + b",".join(piece[1:-1] for piece in pieces if len(piece) > 2) + b"]")
                    return [Document(etag, self._files.put(name, packed) or packed)]
        return [Document(etag, kept)]

    def instance(self, stored: StoredInstance, base: str) -> bytes:
        """One instance's JSON object. Of one whose elements cannot be read, its UIDs. Raises DamagedPack."""
        try:
            dataset, how = self._retriever.readable(stored)
            return to_json(dataset, how, self._bulk_uri(base, stored))
        except MalformedObject as error:
            log.warning("metadata unreadable sop_uid=%s error=%s", stored.sop_uid, error)
            return _uids_alone(stored)

    def _keys(self, study_uid: str, series_uid: str | None, base: str) -> list[_Key]:
        self.last_base = base
        if series_uid is None:
            rows = self._of_study.rows({"study": study_uid})
        else:
            rows = self._of_series.rows({"study": study_uid, "series": series_uid})
        return [_Key(pk, revision, uid, base) for pk, revision, uid in rows]

    def _body(self, study_uid: str, key: _Key, gzip: bool) -> bytes | FileRange:
        name = f"{key.name}.gz" if gzip else f"{key.name}.json"
        kept = self._files.get(name)
        if kept is not None:
            return kept
        with self._only_one(key.name):
            kept = self._files.get(name)
            if kept is not None:
                return kept
            return self._make(study_uid, key, gzip)

    def _make(self, study_uid: str, key: _Key, gzip: bool) -> bytes | FileRange:
        plain = self._files.get(f"{key.name}.json")
        if plain is None:
            instances = self._retriever.instances(study_uid, key.series_uid)
            content = b"[" + b",".join(self.instance(stored, key.base) for stored in instances) + b"]"
            plain = self._files.put(f"{key.name}.json", content)
        else:
            content = plain.read()
        if not gzip:
            return plain or content
        packed = _gzip(content)
        return self._files.put(f"{key.name}.gz", packed) or packed

    def _only_one(self, name: str) -> threading.Lock:
        """The lock of whoever makes this document; forgotten documents' locks go when there are many."""
        with self._lock:
            if len(self._making) > 1000:
                self._making = {kept: lock for kept, lock in self._making.items() if lock.locked()}
            return self._making.setdefault(name, threading.Lock())


def _etag(keys: list[_Key]) -> str:
    return sha256(" ".join(key.name for key in keys).encode()).hexdigest()[:24]


def _gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(content) + packer.flush()


def _content(body: bytes | FileRange) -> bytes:
    return body if isinstance(body, bytes) else body.read()


def _uids_alone(stored: StoredInstance) -> bytes:
    uids = {
        "00080016": stored.sop_class_uid,
        "00080018": stored.sop_uid,
        "0020000D": stored.study_uid,
        "0020000E": stored.series_uid,
    }
    return orjson.dumps({tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()})
