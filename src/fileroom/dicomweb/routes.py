"""Everything under /dicomweb, put on a router."""

from __future__ import annotations

from fileroom.archive.decode import Decoder
from fileroom.archive.documents import Documents
from fileroom.archive.retrieve import Retriever
from fileroom.archive.search import Search
from fileroom.dicomweb.bulkdata import BulkData
from fileroom.dicomweb.frames import Frames
from fileroom.dicomweb.metadata import Metadata
from fileroom.dicomweb.openapi import document
from fileroom.dicomweb.qido import Qido
from fileroom.dicomweb.rendered import Rendered
from fileroom.dicomweb.stow import Stow
from fileroom.dicomweb.wado import Wado
from fileroom.web.http import Response
from fileroom.web.router import Router


def routes(
    router: Router, *, search: Search, retriever: Retriever, decoder: Decoder, documents: Documents, stow: Stow
) -> None:
    """Have the router answer DICOMweb (PS3.18 10) through these rooms of the archive."""
    frames = Frames(retriever, decoder)
    Qido(search).add_routes(router)
    stow.add_routes(router)
    Wado(retriever, decoder).add_routes(router)
    Metadata(documents, retriever).add_routes(router)
    frames.add_routes(router)
    BulkData(retriever, frames).add_routes(router)
    Rendered(retriever, decoder).add_routes(router)
    described = document()
    router.add("GET", "/dicomweb/openapi.json", lambda request: Response.json(described))
