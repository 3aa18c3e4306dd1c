"""The viewer's page: strict, at every address under /viewer, and beside the prior where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fileroom import errors
from fileroom.archive.first_images import FirstImage
from fileroom.viewer.files import About, ViewerFiles
from fileroom.viewer.links import viewer_path
from fileroom.viewer.pages import Viewer
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from tests.support.asking import NoBody

ABOUT = About("3.13.2", "/viewer/ohif-1/", "app.bundle.1.js", "app.bundle.css", ("89.bundle.2.js",))
PRIORS = {"1.2.5": "1.2.4"}


def first_of(studies: Sequence[str]) -> list[FirstImage]:
    return [FirstImage(study, f"{study}.1", f"{study}.1.1") for study in studies]


def ask(path: str, *, fetched: bool = True) -> Response:
    """What a browser gets there, the viewer's files fetched or not."""
    files = ViewerFiles(Path("/nowhere"))
    files.about = ABOUT if fetched else None
    router = Router()
    Viewer(Pages(("web", "viewer"), "1"), files, PRIORS.get, first_of).add_routes(router)
    path, _, query = path.partition("?")
    return router(Request("GET", path, query, {"accept": "text/html"}, NoBody(), ("127.0.0.1", 1)))


def text(response: Response) -> str:
    return b"".join(response.parts).decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [viewer_path(["1.2.3"], ["CT"]), "/viewer/notfoundstudy", "/viewer/a/b/c"])
def test_every_address_is_the_viewers_own_page(path: str) -> None:
    page = ask(path)
    assert page.status == 200
    assert 'src="/viewer/ohif-1/app.bundle.1.js"' in text(page)
    assert '<link rel="preload" as="script" fetchpriority="low" href="/viewer/ohif-1/89.bundle.2.js">' in text(page)
    policy = dict(page.headers)["content-security-policy"]
    assert [name for name, _ in page.headers].count("content-security-policy") == 1
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy
    assert "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
    assert "http" not in policy


def test_the_page_has_no_script_of_its_own_in_it() -> None:
    assert text(ask("/viewer/viewer")).count("<script src=") + 1 == text(ask("/viewer/viewer")).count("<script")


@pytest.mark.parametrize("path", ["/viewer", "/viewer/"])
def test_the_list_of_studies_is_fileroom_s(path: str) -> None:
    assert dict(ask(path).headers)["location"] == "/studies"


def test_a_mammogram_asked_for_alone_is_shown_beside_its_prior() -> None:
    answer = ask(viewer_path(["1.2.5"], ["MG"]))
    assert (answer.status, dict(answer.headers)["location"]) == (303, viewer_path(["1.2.5", "1.2.4"], ["MG"]))


@pytest.mark.parametrize(
    "path",
    [
        viewer_path(["1.2.4"], ["MG"]),  # has no prior
        viewer_path(["1.2.5", "1.2.3"], ["MG"]),  # beside another
        viewer_path(["1.2.5"], ["MG"]) + "&stageId=current",  # on purpose alone
        viewer_path(["1.2.5"], ["CT"]),
    ],
)
def test_nothing_else_is_sent_on(path: str) -> None:
    assert ask(path).status == 200


def test_a_viewer_that_was_not_fetched_says_what_to_do() -> None:
    page = ask(viewer_path(["1.2.5"], ["MG"]), fetched=False)
    assert page.status == 503
    assert "make env" in text(page)


@pytest.mark.parametrize("name", ["../viewer.json", "viewer.json", "x.js", ".stamp"])
def test_only_files_that_are_there_can_be_asked_for(name: str) -> None:
    with pytest.raises(errors.NotFound, match="no such file"):
        ask(f"/viewer/ohif-1/{name}")


def test_the_page_names_what_the_viewer_will_ask_for_first() -> None:
    at = "/dicomweb/studies/{0}/series"
    frame = at + "/{0}.1/instances/{0}.1.1/frames/1"
    series = [
        f"{at}?includefield=00080021%2C00080031%2C0008103E%2C00200011".format(study) for study in ("1.2.3", "1.2.4")
    ]
    metadata = f"{at}/{{0}}.1/metadata".format("1.2.3")
    both = [*series, metadata, frame.format("1.2.3"), frame.format("1.2.4")]
    page = text(ask(viewer_path(["1.2.3", "1.2.4", "1.2.5"], ["MG"])))
    assert f'data-early="{" ".join(both)}"' in page
    alone = text(ask(viewer_path(["1.2.3"], ["CT"]))).replace("&amp;", "&")
    study = "/dicomweb/studies?limit=101&offset=0&fuzzymatching=false&includefield="
    study += "00081030%2C00080060%2C00080090%2C00100030&StudyInstanceUID=1.2.3"
    assert f'data-early="{" ".join([study, series[0], metadata, both[-2]])}"' in alone
    assert 'data-early=""' in text(ask("/viewer/notfoundstudy"))
