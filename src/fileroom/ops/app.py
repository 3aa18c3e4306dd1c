"""The web application: every room's pages and routes put together, and what stands before them."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from fileroom import __version__
from fileroom.accountability.answers import Answers, answer, open_book
from fileroom.accountability.map import Kept, Maps
from fileroom.accountability.pages import AnswersPage
from fileroom.administration.conflicts import ConflictsPage
from fileroom.administration.demonstration import Demo, DemonstrationPart, DemoState, TakenOut
from fileroom.administration.forward import ForwardPage
from fileroom.administration.home import Facts, Home
from fileroom.administration.ledger import LedgerPage, ledger_path
from fileroom.administration.peers import PeersPage
from fileroom.administration.upload import Upload
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.documents import Documents
from fileroom.archive.first_images import first_images
from fileroom.archive.held import held_counts
from fileroom.archive.marks import MarksReader
from fileroom.archive.priors import prior_study
from fileroom.archive.recent import recent_studies
from fileroom.archive.totals import Counting, counting
from fileroom.demo.demonstration import Demonstration
from fileroom.dicomweb.routes import routes
from fileroom.dicomweb.stow import Stow
from fileroom.media.download import Download, download_path
from fileroom.ops.acts import Recorder
from fileroom.ops.health import Health
from fileroom.ops.limits import net_limits
from fileroom.ops.metrics import MeasuredRouter, Metrics
from fileroom.ops.rooms import Rooms
from fileroom.reading.keeping import Keeping
from fileroom.reading.live import Live
from fileroom.reading.look import Look
from fileroom.reading.marks import MarksAnswers
from fileroom.reading.series import SeriesPage
from fileroom.reading.studies import Studies
from fileroom.reading.study import StudyPage
from fileroom.reading.ways import Sending, Sent, Ways
from fileroom.routing.echo import echo
from fileroom.routing.sends import State
from fileroom.settings import Address, Settings
from fileroom.viewer.links import viewer_path
from fileroom.viewer.pages import Viewer, installed_files
from fileroom.web.host import HostWithPort
from fileroom.web.http import ErrorAnswer, Handler
from fileroom.web.loopback import LoopbackOnly
from fileroom.web.origin import SameOriginWrites
from fileroom.web.pages import NOT_SIGNED_IN, Pages


def web_app(
    settings: Settings,
    rooms: Rooms,
    documents: Documents,
    metrics: Metrics,
    health: Health,
    live: Live,
    demonstration: Demonstration,
    doors: Callable[[], tuple[Address, Address]],
) -> tuple[Handler, ErrorAnswer]:
    """What the web server serves, and how it tells errors. `doors` tells where the web and the DICOM door listen."""
    pages = Pages(("web", "administration", "reading", "viewer", "accountability"), __version__)
    router = MeasuredRouter(metrics, Recorder(rooms.telling))
    router.add("GET", "/healthz", health.alive)
    router.add("GET", "/readyz", health.ready)
    router.add("GET", "/metrics", metrics.page)
    router.add("GET", "/static/{name}", pages.assets)
    router.add("GET", "/favicon.ico", pages.assets.icon)
    totals = counting(rooms.database)
    demo = DemonstrationPart(pages, _demo(demonstration, totals))
    Home(pages, lambda: _facts(settings, rooms, totals, *doors()), demo).add_routes(router)
    PeersPage(
        pages,
        rooms.peers,
        lambda peer: echo(peer, settings.ae_title, net_limits(settings)),
        site=settings.site,
        our_title=settings.ae_title,
    ).add_routes(router)
    ForwardPage(pages, rooms.routing, rooms.peers, settings.forward_quiet_seconds).add_routes(router)
    ConflictsPage(
        pages, Conflicts(rooms.database, rooms.packs), rooms.database, rooms.retriever, rooms.decoder
    ).add_routes(router)
    Upload(pages, rooms.receiver, settings.home / "spool", settings.site, rooms.telling).add_routes(router)
    LedgerPage(pages, rooms.database).add_routes(router)
    AnswersPage(pages, lambda: _answers(settings, rooms), __version__).add_routes(router)
    live.add_routes(router)
    Studies(pages, rooms.database).add_routes(router)
    Download(rooms.database, rooms.retriever).add_routes(router)
    marks = MarksReader(rooms.database, rooms.retriever)
    StudyPage(pages, rooms.database, marks, Ways(viewer_path, download_path, _sending(rooms), ledger_path)).add_routes(
        router
    )
    SeriesPage(pages, rooms.database, rooms.retriever).add_routes(router)
    Look(pages, rooms.database, rooms.retriever).add_routes(router)
    MarksAnswers(marks, Keeping(rooms.retriever, rooms.receiver, marks), rooms.retriever, rooms.decoder).add_routes(
        router
    )
    routes(
        router,
        search=rooms.search,
        retriever=rooms.retriever,
        decoder=rooms.decoder,
        documents=documents,
        stow=Stow(rooms.receiver, settings.site, rooms.telling),
    )
    Viewer(
        pages,
        installed_files(),
        lambda study: prior_study(rooms.database, study, "MG"),
        lambda studies: first_images(rooms.database, studies),
    ).add_routes(router)
    return LoopbackOnly(SameOriginWrites(HostWithPort(router, lambda: doors()[0].port))), pages.tell


def _answers(settings: Settings, rooms: Rooms) -> tuple[Answers, Kept]:
    """The seven answers now, and the responsibility map."""
    kept = Maps(rooms.database).kept()
    return answer(open_book(rooms.database, settings.home), settings.site, persons=kept.persons), kept


def _sending(rooms: Rooms) -> Sending:
    """How the study page sends to peers, and what it tells of it."""

    def send(study_uid: str, peer: str) -> None:
        rooms.routing.send(study_uid, peer, NOT_SIGNED_IN)

    def sent(study_uid: str) -> list[Sent]:
        return [
            Sent(
                one.destination,
                one.created_ms,
                f"{one.state}: {one.sent} of {one.total}",
                one.last_error or "",
                one.state is State.FAILED,
            )
            for one in rooms.routing.sends(study_uid=study_uid, limit=20)
        ]

    return Sending(lambda: [peer.ae_title for peer in rooms.peers.all()], send, sent)


def _demo(demonstration: Demonstration, totals: Counting) -> Demo:
    """What the home page does with the demonstration, and tells of it."""

    def state() -> DemoState:
        progress, present = demonstration.progress(), demonstration.present()
        return DemoState(
            empty=totals.now().instances == 0,
            loading=progress.state == "loading",
            objects=progress.objects,
            objects_total=progress.objects_total,
            loaded_bytes=progress.size_bytes,
            studies=present.studies,
            size_bytes=present.size_bytes,
            error=progress.error,
            hint=progress.hint,
        )

    def remove() -> TakenOut:
        removal = demonstration.remove()
        return TakenOut(removal.studies, len(removal.left))

    return Demo(state, demonstration.start, remove)


def _facts(settings: Settings, rooms: Rooms, totals: Counting, web: Address, dicom: Address) -> Facts:
    return Facts(
        web_url=f"http://{web}",
        dicom_host=dicom.host,
        dicom_port=dicom.port,
        ae_title=settings.ae_title,
        totals=totals.now(),
        waiting=sum(held_counts(rooms.database).values()),
        free_bytes=shutil.disk_usage(settings.packs).free,
        peers=len(rooms.peers.all()),
        recent=recent_studies(rooms.database, 10),
    )
