"""What every route of the web tells the ledger. A route that is not here is not served: none can be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from fileroom.archive.telling import Telling
from fileroom.audit.actor import Actor
from fileroom.audit.event import Kind
from fileroom.web.actor import actor
from fileroom.web.http import Handler, Request, Response


class Way(StrEnum):
    """How an answer is told."""

    NOT = "not"  # it holds nothing of a patient and changes nothing, or what is behind it tells the ledger itself
    LOOK = "look"  # it shows something of the study in the address
    VIEWER = "viewer"  # of the studies in the query
    SEARCH = "search"  # it lists patients
    ACT = "act"  # something is done: one line before, one after
    TAKE = "take"  # studies are taken away: one line before the first byte, one after the last


class Told(NamedTuple):
    """What a route tells."""

    way: Way
    kind: Kind = Kind.SYSTEM
    what: str = ""  # the answers, in the plural; of an act, the act itself


_NOT = Told(Way.NOT)
_DICOMWEB = "/dicomweb/studies/{study}"
_SERIES = _DICOMWEB + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_LOOK = "/studies/{study}/look"
_VIEWER = "GET /viewer/{rest...}"


def _view(what: str) -> Told:
    return Told(Way.LOOK, Kind.VIEW, what)


def _retrieve(what: str) -> Told:
    return Told(Way.LOOK, Kind.RETRIEVE, what)


def _list(what: str) -> Told:
    return Told(Way.SEARCH, Kind.SEARCH, what)


ROUTES: dict[str, Told] = {
    "GET /healthz": _NOT,
    "GET /readyz": _NOT,
    "GET /metrics": _NOT,
    "GET /static/{name}": _NOT,
    "GET /favicon.ico": _NOT,
    "GET /answers": _NOT,  # counts and dates of the archive itself, nobody's images
    "GET /live": _NOT,  # that something arrived, not what
    "GET /demonstration": _NOT,
    "GET /": _list("the last arrivals"),
    "GET /arrivals": _list("the last arrivals"),
    "POST /demonstration/load": Told(Way.ACT, Kind.STORE, "load the demonstration"),
    "POST /demonstration/remove": Told(Way.ACT, Kind.DELETE, "remove the demonstration"),
    "GET /upload": _NOT,
    "POST /upload": _NOT,  # each object's study is told where it is stored
    "GET /conflicts": _list("conflicts"),
    "GET /conflicts/{id}": _list("conflicts"),
    "GET /conflicts/{id}/{side}/picture": _list("conflicts"),
    "POST /conflicts/{id}/decide": _NOT,  # told with the decision, in its transaction
    "POST /conflicts/{id}/undo": _NOT,
    "GET /peers": _NOT,
    "POST /peers": _NOT,  # told with the change, in its transaction
    "GET /peers/{title}": _NOT,
    "POST /peers/{title}/remove": _NOT,
    "POST /peers/{title}/echo": _NOT,
    "GET /forward": _NOT,
    "POST /forward": _NOT,  # as peers
    "GET /forward/{rule}": _NOT,
    "POST /forward/{rule}": _NOT,
    "POST /forward/{rule}/stop": _NOT,
    "POST /forward/{rule}/start": _NOT,
    "POST /forward/{rule}/remove": _NOT,
    "GET /ledger": _list("the ledger"),
    "GET /ledger/csv": _list("the ledger as a file"),
    "GET /studies": _list("study lists"),
    "GET /studies/{study}": _view("pages"),
    "GET /studies/{study}/contents": _view("pages"),
    "GET /studies/{study}/hidden": _view("pages"),
    "POST /studies/{study}/hide": _NOT,  # told with the change, in its transaction
    "POST /studies/{study}/unhide": _NOT,
    "POST /studies/{study}/send": Told(Way.ACT, Kind.SEND, "queue it to be sent"),
    "GET /studies/{study}/series/{series}": _view("pages"),
    "GET /studies/{study}/series/{series}/instances/{instance}/tags": _view("elements"),
    "GET /studies/download": Told(Way.TAKE, Kind.EXPORT, "download"),
    "GET /studies/{study}/download": Told(Way.TAKE, Kind.EXPORT, "download"),
    "GET /studies/{study}/series/{series}/download": Told(Way.TAKE, Kind.EXPORT, "download of a series"),
    f"GET {_LOOK}": _view("pages"),
    f"GET {_LOOK}/counts": _view("pages"),
    f"GET {_LOOK}/series/{{series}}": _view("pages"),
    f"GET {_LOOK}/series/{{series}}/{{instance}}": _view("pictures"),
    f"GET {_LOOK}/marks": _view("marks"),
    f"POST {_LOOK}/key": Told(Way.ACT, Kind.STORE, "mark a key image"),
    f"POST {_LOOK}/state": Told(Way.ACT, Kind.STORE, "save how an image is shown"),
    f"POST {_LOOK}/take-back": Told(Way.ACT, Kind.STORE, "take a mark back"),
    f"GET {_LOOK}/series/{{series}}/{{instance}}/{{frame}}/shown": _view("marks"),
    f"GET {_LOOK}/series/{{series}}/{{instance}}/{{frame}}/picture": _view("pictures"),
    "GET /viewer": _NOT,
    "GET /viewer/": _NOT,
    _VIEWER: Told(Way.VIEWER, Kind.VIEW, "viewers"),
    "GET /dicomweb/openapi.json": _NOT,
    "GET /dicomweb/studies": _list("answers"),
    "GET /dicomweb/series": _list("answers"),
    "GET /dicomweb/instances": _list("answers"),
    "POST /dicomweb/studies": _NOT,  # each object's study is told where it is stored
    f"POST {_DICOMWEB}": _NOT,
    f"GET {_DICOMWEB}/series": _retrieve("lists"),
    f"GET {_DICOMWEB}/instances": _retrieve("lists"),
    f"GET {_SERIES}/instances": _retrieve("lists"),
    f"GET {_INSTANCE}/bulkdata/{{path...}}": _retrieve("bulk data"),
    f"GET {_INSTANCE}/frames/{{frames}}": _retrieve("frames"),
    f"GET {_INSTANCE}/frames/{{frames}}/rendered": _retrieve("pictures"),
    f"GET {_INSTANCE}/frames/{{frames}}/thumbnail": _retrieve("pictures"),
    f"GET {_DICOMWEB}": _retrieve("whole studies"),
    f"GET {_SERIES}": _retrieve("whole series"),
    f"GET {_INSTANCE}": _retrieve("objects"),
    **{
        f"GET {above}/{leaf}": _retrieve("metadata" if leaf == "metadata" else "pictures")
        for above in (_DICOMWEB, _SERIES, _INSTANCE)
        for leaf in ("metadata", "rendered", "thumbnail")
    },
}


def told(method: str, pattern: str) -> Told:
    """What this route tells. Raises LookupError when nobody has said."""
    if method == "GET" and pattern.startswith("/viewer/") and f"GET {pattern}" not in ROUTES:
        return _NOT  # the viewer's own files, under an address that holds their digest
    try:
        return ROUTES[f"{method} {pattern}"]
    except KeyError:
        raise LookupError(f"{method} {pattern}: what it tells the ledger is not said in fileroom/ops/acts.py") from None


class Recorder:
    """Has handlers tell the ledger. What was not answered with success shows nothing, and is not told."""

    def __init__(self, telling: Telling, who: Callable[[Request], Actor] = actor) -> None:
        self._telling = telling
        self._who = who

    def recorded(self, method: str, pattern: str, handler: Handler) -> Handler:
        """The handler, its answers told before their first byte leaves. Raises LookupError for an unknown route."""
        told_of = told(method, pattern)
        if told_of.way is Way.NOT:
            return handler
        if told_of.way in (Way.ACT, Way.TAKE):
            return self._act(told_of, handler)
        tell = self._teller(told_of, pattern)

        def looked(request: Request) -> Response:
            response = handler(request)
            if response.status < 400:
                tell(request)
            return response

        return looked

    def _teller(self, route: Told, pattern: str) -> Callable[[Request], None]:
        telling, who, kind, what = self._telling, self._who, route.kind, route.what
        if route.way is Way.LOOK:
            return lambda request: telling.looked(who(request), kind, request.params["study"], what)
        if route.way is Way.VIEWER:

            def viewer(request: Request) -> None:
                for study in dict(request.args()).get("StudyInstanceUIDs", "").split(","):
                    if study:
                        telling.looked(who(request), kind, study, what)

            return viewer

        def searched(request: Request) -> None:
            def asked() -> str:
                told_query = " ".join(f"{name}={value}" for name, value in request.args() if value)
                place = what if what != "conflicts" else f"conflict {request.params.get('id', 'list')}"
                return f"{place}: {told_query}" if told_query else place

            telling.searched(who(request), (request.path, request.query), asked)

        return searched

    def _act(self, route: Told, handler: Handler) -> Handler:
        def acted(request: Request) -> Response:
            study = request.params.get("study")
            studies = [study] if study else [value for name, value in request.args() if name == "study"]
            who = self._who(request)
            if studies:
                transfer = self._telling.transfer(who, route.kind, studies, route.what)
            else:
                transfer = self._telling.began(who, route.kind, route.what)
            try:
                response = handler(request)
            except Exception as error:
                transfer.end({}, type(error).__name__)
                raise
            if route.way is Way.ACT or response.status >= 400:
                transfer.end({}, f"status {response.status}" if response.status >= 400 else "")
                return response
            response.parts = transfer.sending(response.parts)
            return response

        return acted
