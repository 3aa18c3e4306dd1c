"""What is fetched for the browser is what was pinned, and reads as it must where it is served."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile

import pytest

from scripts.web_assets import Package, checked, entry, escaped, kept, members, rewritten, soon

PREFIX = "/viewer/ohif-1/"


def test_an_archive_with_another_digest_is_refused() -> None:
    package = Package("thing", "1.0.0", base64.b64encode(hashlib.sha512(b"right").digest()).decode())
    assert checked(package, b"right") == b"right"
    with pytest.raises(SystemExit, match="not what was pinned"):
        checked(package, b"wrong")


def test_the_file_that_npm_packs_has_npms_name() -> None:
    assert Package("@ohif/app", "3.13.2", "").archive == "ohif-app-3.13.2.tgz"
    assert Package("htmx.org", "4.0.1", "").archive == "htmx.org-4.0.1.tgz"


def test_only_ordinary_files_of_an_archive_are_read() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        file = tarfile.TarInfo("package/dist/a.js")
        file.size = 2
        tar.addfile(file, io.BytesIO(b"ok"))
    assert list(members(buffer.getvalue())) == [("dist/a.js", b"ok")]


@pytest.mark.parametrize(
    "name", ["ort/a.wasm", "a.js.map", "sw.js", "app-config.js", "polySeg.bundle.1.js", "google.js"]
)
def test_what_the_viewer_cannot_reach_is_left_out(name: str) -> None:
    assert not kept(name)


@pytest.mark.parametrize("name", ["app.bundle.12ab.js", "37fa.wasm", "assets/images/CT-Lung.png", "9415.css"])
def test_what_the_viewer_needs_is_kept(name: str) -> None:
    assert kept(name)


def test_scripts_and_styles_load_their_parts_from_where_they_are_served() -> None:
    script = b'a();\n__webpack_require__.p = "/";\n'
    assert rewritten("a.js", script, PREFIX) == b'a();\n__webpack_require__.p = "/viewer/ohif-1/";\n'
    assert rewritten("a.css", b"src:url(/a.woff2)", PREFIX) == b"src:url(/viewer/ohif-1/a.woff2)"
    assert rewritten("a.wasm", b"url(/", PREFIX) == b"url(/"


def test_an_unknown_layout_is_said() -> None:
    page = '<script defer src="/app.bundle.0f.js"></script><link href="/app.bundle.css" rel="stylesheet">'
    assert entry(page) == {"script": "app.bundle.0f.js", "style": "app.bundle.css"}
    with pytest.raises(SystemExit, match="new layout"):
        entry("<html></html>")


def test_the_parts_that_every_study_needs_are_named() -> None:
    assert soon(["89.bundle.a.js", "8.bundle.b.js", "app.bundle.c.js", "89.css"]) == ["89.bundle.a.js"]


def test_a_script_is_plain_ascii_and_means_the_same() -> None:
    assert escaped(b"/^a/") == b"/^a/"
    assert escaped("/^(\u7b2c|\xe9)/".encode()) == rb"/^(\u7b2c|\u00e9)/"
    assert escaped("/\U0001f600/u".encode()) == rb"/\ud83d\ude00/u"


def test_every_frame_gets_a_decoder_of_its_own() -> None:
    assert b"local.decoder = new local.decoder.constructor()" in rewritten(
        "a.js", b"const decoder = local.decoder;", "/"
    )
    assert b"getDecodedBuffer().length) throw" in rewritten("a.js", b"decoder.decode();", "/")


def test_arrays_of_segmentations_are_not_compiled_in_the_page() -> None:
    script = rewritten("a.js", b"function compileConstructor(dtype, dimension) {", "/")
    ours, _, theirs = script.partition(b"function compiledConstructor(")
    assert b"class View" in ours
    assert b"Function(" not in ours
    assert theirs == b"dtype, dimension) {"
