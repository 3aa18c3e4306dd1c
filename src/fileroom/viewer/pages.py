"""The viewer's page, and the way from a mammogram to its prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files

from fileroom.archive.first_images import FirstImage
from fileroom.viewer.files import ViewerFiles
from fileroom.viewer.links import MAMMOGRAPHY, early_paths, viewer_path
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages, see_other
from fileroom.web.router import Router

# As strict as OHIF bears. It compiles WebAssembly, its styles are made as it runs, it shows pictures from memory.
# Nothing may come from or go to another host.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self' blob: data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; object-src 'self' blob:; frame-src 'self' blob:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
STUDIES_MAX = 2  # whose first images are on their way before the viewer asks: a study and its prior
_HEADERS = (("content-security-policy", CONTENT_SECURITY_POLICY),)


class Viewer:
    """The handlers under `/viewer`.

    `prior_of` names the study a mammogram is compared with, or None; `first_of` what is shown first of some studies.
    """

    def __init__(
        self,
        pages: Pages,
        viewer_files: ViewerFiles,
        prior_of: Callable[[str], str | None],
        first_of: Callable[[Sequence[str]], Sequence[FirstImage]],
    ) -> None:
        self._pages = pages
        self._files = viewer_files
        self._prior_of = prior_of
        self._first_of = first_of

    def add_routes(self, router: Router) -> None:
        """Have the router send everything under `/viewer` here."""
        if (about := self._files.about) is not None:
            router.add("GET", f"{about.prefix}{{name...}}", self._files)
        for path in ("/viewer", "/viewer/"):
            router.add("GET", path, lambda request: see_other("/studies"))
        router.add("GET", "/viewer/{rest...}", self.page)

    def page(self, request: Request) -> Response:
        """The viewer, at every address under it, since it reads the address itself; or what to do to have one.

        A mammogram asked for alone is sent on to itself beside its prior. Raises BadRequest, DatabaseUnavailable.
        """
        about = self._files.about
        if about is None:
            return self._pages.page(request, "viewer/missing.html", status=503)
        alone = _mammogram_alone(request)
        if alone is not None and (prior := self._prior_of(alone)) is not None:
            return see_other(viewer_path([alone, prior], ["MG"]))
        early = early_paths(self._first_of(_studies(request)))
        page = self._pages.page(request, "viewer/viewer.html", about=about, early=early)
        kept = [(name, value) for name, value in page.headers if name != "content-security-policy"]
        return Response(200, [*kept, *_HEADERS], page.parts)


def _mammogram_alone(request: Request) -> str | None:
    """The study of a link that names one mammogram and nothing else, such as `viewer_path` makes."""
    args = dict(request.args())
    if set(args) != {"StudyInstanceUIDs", "hangingProtocolId"} or args["hangingProtocolId"] != MAMMOGRAPHY:
        return None
    study = args["StudyInstanceUIDs"]
    return study if study and "," not in study else None


def _studies(request: Request) -> list[str]:
    """The first studies that the address names, which the viewer is about to show."""
    named = dict(request.args()).get("StudyInstanceUIDs", "")
    return [study for study in named.split(",", STUDIES_MAX)[:STUDIES_MAX] if study]


def installed_files() -> ViewerFiles:
    """The viewer that this installation carries, or one that says it is not there."""
    with as_file(files("fileroom.viewer")) as folder:
        return ViewerFiles(folder / "ohif")
