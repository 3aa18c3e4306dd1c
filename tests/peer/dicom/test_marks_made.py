"""Key objects and presentation states are what the standard asks for, by the judgement of validators that are not ours,
and an image looks by a presentation state as it does in another program.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from highdicom.pr import (
    AnnotationUnitsValues,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GraphicTypeValues,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from PIL import Image
from pydicom import dcmread
from pydicom.uid import UID

from fileroom.dicom.companion import Reference
from fileroom.dicom.header import scan
from fileroom.dicom.key_object import KEY_OBJECT_CLASS, REJECTED
from fileroom.dicom.pixels import NativeFrame
from fileroom.dicom.presentation import presented, read_presentation
from fileroom.dicom.render import render_frame
from fileroom.dicom.render_options import Grey, RenderOptions, Window
from fileroom.dicom.softcopy import Graphic, Label, read_head, read_shown
from fileroom.dicom.softcopy_writing import Setting
from fileroom.dicom.syntax import EXPLICIT_LE, syntax
from tests.support import corpus
from tests.support.corpus import Instance
from tests.support.readers_marks import elements_of, key_file, reference, state_file

FULL = Setting(
    Window(300, 900.5),
    True,
    (10, 20, 200, 300),
    90,
    True,
    (
        Graphic("POLYLINE", "PIXEL", ((1.5, 2), (30, 40), (1.5, 2))),
        Graphic("ELLIPSE", "PIXEL", ((1, 2), (3, 2), (2, 1), (2, 3))),
        Graphic("POINT", "PIXEL", ((9, 9),)),
    ),
    (Label("Here", "PIXEL", (5, 6)), Label("Boxed", "PIXEL", (20, 30), True, (80, 50), "RIGHT")),
    "For the conference",
)


def _ct() -> Instance:
    return next(corpus.ct_study(1))


def _mammogram() -> Instance:
    return next(corpus.mammogram_exam(1, shrink=4))


MADE: dict[str, Callable[[], bytes]] = {
    "key image": lambda: key_file(_ct(), "113002", why="Please compare"),
    "key mammogram": lambda: key_file(_mammogram()),
    "key frame": lambda: key_file(tomo := corpus.tomosynthesis(1, frames=3), about=[reference(tomo, 2)]),
    "rejection": lambda: key_file(_ct(), REJECTED, [Reference(KEY_OBJECT_CLASS, "1.2.3", "1.2.4")], "Taken back"),
    "state of a CT": lambda: state_file(_ct(), FULL),
    "state as sent": lambda: state_file(_ct(), Setting()),
    "state of a mammogram": lambda: state_file(_mammogram(), FULL),
    "state of a frame": lambda: state_file(corpus.tomosynthesis(1, frames=3), FULL, 2),
}


@pytest.mark.parametrize("name", MADE)
def test_the_validators_find_no_error_in_a(
    name: str, dciodvfy: str, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "made.dcm"
    path.write_bytes(MADE[name]())
    verdict = _run(dciodvfy, path)
    errors = [line for line in (verdict.stdout + verdict.stderr).splitlines() if line.startswith("Error")]
    assert (verdict.returncode, errors) == (0, [])
    if name.startswith("state"):
        said = _run(dcmtk("dcmpschk"), path).stderr
        assert "Test passed" in said, said
    else:
        said = _run(dcmtk("dsrdump"), "-Ee", path)
        assert said.returncode == 0, said.stderr
        assert "Key Object Selection Document" in said.stdout


def _run(*command: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("least_is_white", [False, True])
@pytest.mark.parametrize("setting", [Setting(Window(40, 400)), Setting(Window(40, 400), inverted=True), Setting()])
def test_greys_are_those_of_dcmtk(
    setting: Setting, least_is_white: bool, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    image = _ct()
    if least_is_white:
        header = image.header.replace(b"MONOCHROME2", b"MONOCHROME1")
        image = Instance(image.sop_class_uid, image.sop_uid, image.study_uid, image.series_uid, header, image.pixels)
    image.write(tmp_path / "image.dcm")
    state = state_file(image, setting)
    (tmp_path / "state.dcm").write_bytes(state)
    out = tmp_path / "out.pgm"
    verdict = _run(dcmtk("dcmp2pgm"), "-p", tmp_path / "state.dcm", tmp_path / "image.dcm", out)
    assert verdict.returncode == 0, verdict.stderr
    theirs = np.asarray(Image.open(out), dtype=int)
    grey = read_shown(elements_of(state), image.sop_uid, 1).grey
    assert grey is not None
    assert abs(theirs - _seen(image, grey)).max() <= 1
    assert theirs.std() > 20


def _seen(image: Instance, grey: Grey) -> Any:
    how = syntax(EXPLICIT_LE)
    pixels = scan(image.dataset, how).pixels
    assert pixels is not None
    look = presented(read_presentation(image.header, how, pixels, 0), grey, pixels)
    made = render_frame(NativeFrame(bytes(image.pixels), pixels), look, RenderOptions("image/png", grey=grey))
    return np.asarray(Image.open(io.BytesIO(made)), dtype=int)


def test_a_state_that_highdicom_made_is_read(tmp_path: Path) -> None:
    image = _ct()
    source = dcmread(image.write(tmp_path / "image.dcm"))
    line = GraphicObject(
        GraphicTypeValues.POLYLINE, np.array([[10.0, 20.0], [30.5, 40.0]]), AnnotationUnitsValues.PIXEL
    )
    words = TextObject("Look", AnnotationUnitsValues.PIXEL, anchor_point=(12.0, 13.0))
    layer = GraphicLayer("LAYER", 1)
    made = GrayscaleSoftcopyPresentationState(
        [source],
        series_instance_uid=UID("2.25.11"),
        series_number=5,
        sop_instance_uid=UID("2.25.12"),
        instance_number=1,
        manufacturer="Theirs",
        manufacturer_model_name="M",
        software_versions="1",
        device_serial_number="1",
        content_label="THEIRS",
        content_description="From elsewhere",
        graphic_layers=[layer],
        graphic_annotations=[GraphicAnnotation([source], layer, graphic_objects=[line], text_objects=[words])],
        voi_lut_transformations=[
            SoftcopyVOILUTTransformation(
                voi_luts=[hd.VOILUT(first_mapped_value=0, lut_data=np.arange(0, 65536, 256, dtype=np.uint16))],
                referenced_images=hd.content.ReferencedImageSequence([source]),
            )
        ],
    )
    made.save_as(tmp_path / "state.dcm")
    elements = elements_of((tmp_path / "state.dcm").read_bytes())
    assert read_head(elements).images == (reference(image),)
    shown = read_shown(elements, image.sop_uid, 1)
    assert shown.area == (1, 1, 512, 512)
    assert [one.points for one in shown.graphics] == [((10.0, 20.0), (30.5, 40.0))]
    assert [(one.text, one.anchor) for one in shown.labels] == [("Look", (12.0, 13.0))]
    assert shown.grey is not None
    assert shown.grey.intercept == -1024.0
    seen, expected = _seen(image, shown.grey), _looked_up(image)
    assert abs(seen - expected).max() <= 1
    assert seen.std() > 5


def _looked_up(image: Instance) -> Any:
    """The same worked out by hand: 256 entries from value 0 on, in Hounsfield units."""
    stored = np.frombuffer(bytes(image.pixels), "<u2").reshape(512, 512)
    entries = np.arange(0, 65536, 256)
    return np.rint(entries[np.clip(stored.astype(int) - 1024, 0, 255)] / 65535 * 255).astype(int)


@pytest.fixture
def tool_made(dcmtk: Callable[[str], str], tmp_path: Path) -> bytes:
    _mammogram().write(tmp_path / "image.dcm")
    verdict = _run(dcmtk("dcmpsmk"), tmp_path / "image.dcm", tmp_path / "state.dcm")
    assert verdict.returncode == 0, verdict.stderr
    return (tmp_path / "state.dcm").read_bytes()


def test_a_state_that_dcmtk_made_is_read(tool_made: bytes) -> None:
    image = _mammogram()
    shown = read_shown(elements_of(tool_made), image.sop_uid, 1)
    assert shown.lacks == ()
    assert shown.grey is not None
    assert shown.grey.window == Window(2048, 4096)
    assert shown.area is not None
    assert shown.area[:2] == (1, 1)
