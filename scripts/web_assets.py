"""Fetches what the pages run in the browser: pinned npm packages, checked against their digests, never committed.

`web_assets.py run` fetches htmx for the pages and the OHIF viewer; `dev` also what tests run in a page; `try` is `run`
that goes on without them when they cannot be had: /viewer then says what is missing. Standard library only; `npm pack`
downloads, since npm knows the registry and proxy of this machine. OHIF comes as its authors wrote it, comments and all:
esbuild, fetched the same way and run by npm's own node, takes out what a browser has no use for. A stamp made of this
file's own text makes the second call free; each result appears whole or not at all.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ARRAYS = (Path(__file__).parent / "viewer_arrays.js").read_bytes()
STAMP = hashlib.sha256(Path(__file__).read_bytes() + _ARRAYS).hexdigest()
NPM_SECONDS = 900
ESBUILD_SECONDS = 600

# Parts of OHIF's bundle that Fileroom's configuration cannot reach: models and runtime of its AI tools, microscopy,
# meshes from contours, sign-in of its own, service workers, demonstrations.
_DROPPED = re.compile(
    r"^(ort|dicom-microscopy-viewer|customizations)/|\.map$|^polySeg\.|^5130ccb17e3f3f5b\.wasm$"
    r"|^(app-config|google|init-service-worker|sw|es6-shim\.min|polyfill\.min|oidc-client\.min)\.js$"
    r"|^(index|silent-refresh)\.html$|^(serve|manifest)\.json$|^_|^assets/(?!images/|favicon)"
)
# What OHIF loads for every study after its first script, one wave of requests behind the other.
_SOON = frozenset(
    "100 341 781 89 899 1673 2623 3500 3552 5448 5910 6489 6495 6749 6938 7248 7463 8478 9068 9116 9383 9415".split()  # noqa: SIM905
)
_COMPRESSED = {"js", "css", "wasm", "svg"}
_PUBLIC_PATH = b'__webpack_require__.p = "/"'

# What the viewer does wrong and no configuration changes: its text, what is to stand there, how often it is in all.
_DAMAGED = b'if (!decoder.getDecodedBuffer().length) throw new Error("the image is damaged");'
_IN_JPEG_LS = b"        encodedBufferInWASM.set(compressedImageFrame);"
_END_OF_IMAGE = b"encodedBufferInWASM.set([0xff, 0xd9], compressedImageFrame.length);"
_COMPILED = b"function compileConstructor(dtype, dimension) {"
_REPAIRS = (
    # Of a frame that cannot be decoded a decoder still holds the one before, which was shown in its place: every frame
    # gets a decoder of its own. What the last one decoded is copied by when the next begins.
    (
        b"const decoder = local.decoder;",
        b"local.decoder.delete(); const decoder = (local.decoder = new local.decoder.constructor());",
        6,
    ),
    (b"decoder.decode();", b"decoder.decode(); " + _DAMAGED, 6),
    # JPEG-LS that is cut off was decoded for ever, and nothing after it: an end of image (ITU-T T.87 C.1.1) stops it.
    (
        b"decoder.getEncodedBuffer(compressedImageFrame.length);\n" + _IN_JPEG_LS,
        b"decoder.getEncodedBuffer(compressedImageFrame.length + 2);\n" + _IN_JPEG_LS + b" " + _END_OF_IMAGE,
        2,
    ),
    # Segmentations stand in arrays whose code is written and compiled as it runs, which the page's policy forbids.
    (_COMPILED, _ARRAYS + b"function compiledConstructor(dtype, dimension) {", 3),
)


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one npm package and what it must hash to."""

    name: str
    version: str
    sha512: str  # base64, as npm writes it

    @property
    def spec(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def archive(self) -> str:
        """The file that `npm pack` makes."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


OHIF = Package(
    "@ohif/app", "3.13.2", "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
)
# As WebAssembly: one file, and one digest, for every kind of machine.
ESBUILD = Package(
    "esbuild-wasm", "0.28.2", "GccVwhv3mmOUVQHCQm2Ox/rby8n/EqUwvZxE6Pjfikrq/lWw9g9WX/u9EykWnpot3Ko6j426DgQdea2xWKIAQA=="
)
HTMX = Package(
    "htmx.org", "4.0.1", "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
)
AXE = Package(
    "axe-core", "4.14.1", "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)


def fetch(package: Package, folder: Path) -> bytes:
    """The package's tar archive. Exits with what to do when it cannot be had or is not the one that was pinned."""
    if shutil.which("npm") is None:
        subprocess.run(["bash", "-c", ". scripts/apt.sh && apt_install npm"], cwd=ROOT, check=False)
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), package.spec]
    print(f"Fetching {package.spec}", file=sys.stderr)
    try:
        subprocess.run(command, check=True, cwd=folder, timeout=NPM_SECONDS, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        sys.exit("npm is missing. Please run, as root:  apt-get install npm")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        sys.exit(f"npm could not fetch {package.spec}: is the network there? npm's own message stands above.")
    return checked(package, (folder / package.archive).read_bytes())


def checked(package: Package, archive: bytes) -> bytes:
    """The archive itself. Exits when its digest is not the pinned one."""
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != package.sha512:
        sys.exit(f"{package.spec} is not what was pinned: sha512 {found}, expected {package.sha512}. Nothing was kept.")
    return archive


def members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Name (without npm's leading `package/`) and content of each ordinary file."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            if member.isfile() and (file := tar.extractfile(member)) is not None:
                yield member.name.partition("/")[2], file.read()


def kept(name: str) -> bool:
    """Whether the viewer needs this file of OHIF's `dist/`."""
    return not _DROPPED.search(name)


def rewritten(name: str, content: bytes, prefix: str) -> bytes:
    """A file of the viewer as it has to read when it is served under `prefix`, which ends with a slash."""
    if name.endswith(".js"):
        for wrong, right, _ in _REPAIRS:
            content = content.replace(wrong, right)
        return content.replace(_PUBLIC_PATH, f'__webpack_require__.p = "{prefix}"'.encode())
    if name.endswith(".css"):
        return content.replace(b"url(/", f"url({prefix}".encode())
    return content


def entry(index_html: str) -> dict[str, str]:
    """The one script and the one stylesheet that OHIF's index.html starts from."""
    script = re.search(r'<script defer src="/(app\.bundle\.[0-9a-f]+\.js)"></script>', index_html)
    style = re.search(r'<link href="/(app\.bundle\.css)" rel="stylesheet">', index_html)
    if script is None or style is None:
        sys.exit("OHIF's index.html does not start from app.bundle: scripts/web_assets.py has to learn its new layout.")
    return {"script": script[1], "style": style[1]}


def soon(names: Iterable[str]) -> list[str]:
    """Those scripts that a browser may as well fetch beside the first one."""
    return sorted(name for name in names if name.endswith(".js") and name.partition(".bundle.")[0] in _SOON)


def make_viewer(folder: Path, archive: bytes, slim: Callable[[Path], None]) -> None:
    """Fills `folder` with the viewer: files with `.gz` beside or instead, `viewer.json`, OHIF's licence.

    `slim` makes the scripts of a folder smaller.
    """
    prefix = f"/viewer/ohif-{OHIF.version}-{STAMP[:8]}/"
    rewrites = 0
    repairs = [0] * len(_REPAIRS)
    about: dict[str, object] = {}
    for name, content in members(archive):
        if name == "LICENSE":
            (folder / "LICENSE").write_bytes(content)
        if name == "dist/index.html":
            about |= {"version": OHIF.version, "prefix": prefix, **entry(content.decode())}
        short = name.removeprefix("dist/")
        if short == name or not kept(short):
            continue
        rewrites += content.count(_PUBLIC_PATH)
        if short.endswith(".js"):
            repairs = [done + content.count(wrong) for done, (wrong, _, _) in zip(repairs, _REPAIRS, strict=True)]
        path = folder / "files" / short
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rewritten(short, content, prefix))
    about["soon"] = soon(path.name for path in (folder / "files").glob("*.js"))
    (folder / "viewer.json").write_text(json.dumps(about, indent=1) + "\n")
    if repairs != [times for _, _, times in _REPAIRS]:
        sys.exit(f"{OHIF.spec} does not hold what is to be put right {repairs}: scripts/web_assets.py has to learn it.")
    if not rewrites or "script" not in about or not (folder / "LICENSE").exists() or len(_SOON) != len(about["soon"]):
        sys.exit(f"{OHIF.spec} does not look as expected: scripts/web_assets.py has to learn its new layout.")
    slim(folder / "files")
    for path in (folder / "files").glob("*.js"):
        path.write_bytes(escaped(path.read_bytes()))
    for path in [path for path in (folder / "files").rglob("*") if path.is_file()]:
        _pack(path)


def slimmed(folder: Path, scratch: Path, archive: bytes) -> None:
    """Has every script right under `folder` say the same in fewer bytes; `archive` is esbuild's.

    Names stay, so that what breaks can be read. Exits when it does not work.
    """
    tool = scratch / "esbuild"
    for name, content in members(archive):
        (tool / name).parent.mkdir(parents=True, exist_ok=True)
        (tool / name).write_bytes(content)
    options = ["--minify-whitespace", "--minify-syntax", "--charset=ascii", "--legal-comments=inline"]
    options += ["--pure:console.log", "--log-level=error", f"--outdir={folder}", "--allow-overwrite"]
    command = ["node", str(tool / "bin/esbuild"), *map(str, sorted(folder.glob("*.js"))), *options]
    print("Taking comments and spaces out of OHIF's scripts, which takes half a minute", file=sys.stderr)
    try:
        subprocess.run(command, check=True, timeout=ESBUILD_SECONDS)
    except FileNotFoundError:
        sys.exit("node is missing, which npm comes with. Please run, as root:  apt-get install npm")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        sys.exit(f"{ESBUILD.spec} could not read OHIF's scripts; its own message stands above.")


def escaped(script: bytes) -> bytes:
    """The script in ASCII: one other character has a browser hold all of a script in two bytes a character.

    For what esbuild leaves so, which are regular expressions and comments.
    """

    def escape(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

    return script if script.isascii() else re.sub(r"[^\x00-\x7f]", escape, script.decode()).encode("ascii")


def _pack(path: Path) -> None:
    """Text and wasm are kept compressed only: no browser of this decade asks for them otherwise."""
    if path.suffix[1:] in _COMPRESSED:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()


def provide_files(package: Package, place: Path, wanted: dict[str, str]) -> None:
    """Has `place` hold files of the package, named in it -> named here; does nothing when it already does."""
    stamp = place / f".{package.name}.stamp"
    if _fresh(stamp) and all((place / name).exists() for name in wanted.values()):
        return
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".fetching-") as scratch:
        found = {name: content for name, content in members(fetch(package, Path(scratch))) if name in wanted}
        for name, here in wanted.items():
            if name not in found:
                sys.exit(f"{package.spec} holds no {name}: scripts/web_assets.py has to learn its new layout.")
            made = Path(scratch) / here
            # A source map is not shipped, so nothing may ask for one.
            made.write_bytes(re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", found[name]))
            made.replace(place / here)
    stamp.write_text(STAMP)


def provide_viewer(place: Path) -> None:
    """Has `place` hold the viewer; does nothing when it already does."""
    if _fresh(place / ".stamp"):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".fetching-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        esbuild = fetch(ESBUILD, Path(scratch))
        make_viewer(made, fetch(OHIF, Path(scratch)), lambda files: slimmed(files, Path(scratch), esbuild))
        (made / ".stamp").write_text(STAMP)
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)


def _fresh(stamp: Path) -> bool:
    return stamp.exists() and stamp.read_text() == STAMP


def main(kind: str) -> None:
    try:
        provide_files(
            HTMX, ROOT / "src/fileroom/web/static", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE.txt"}
        )
        if kind == "dev":
            provide_files(AXE, ROOT / ".peers", {"axe.min.js": "axe.min.js", "LICENSE": "axe.LICENSE.txt"})
        provide_viewer(ROOT / "src/fileroom/viewer/ohif")
    except SystemExit as why:
        if kind != "try":
            raise
        print(f"{why}\nGoing on without the viewer; run  make env  to fetch it later.", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["dev"], ["try"]):
        sys.exit("usage: web_assets.py run|dev|try")
    main(sys.argv[1])
