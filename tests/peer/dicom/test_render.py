"""Pictures are the pictures dcmtk makes, and pydicom's windows, within a step or two of grey."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from fileroom.dicom.pixels import NativeFrame, decode_frame
from fileroom.dicom.presentation import Presentation, read_presentation
from fileroom.dicom.render import render_frame
from fileroom.dicom.render_options import RenderOptions, Viewport, Window, WindowFunction
from fileroom.errors import UndecodableImage
from tests.support.real_images import RealImage, all_images, image

Array = numpy.ndarray[Any, Any]

NOT_FOR_DCMTK = {
    "JPEG2000-embedded-sequence-delimiter.dcm",  # broken on purpose
    "SC_rgb_jpeg.dcm",  # implicit VR with fragments
    "eCT_Supplemental.dcm",  # its windows lie in functional groups
    "gdcm-US-ALOKA-16.dcm",  # its palette is refused
    "gdcm-US-ALOKA-16_big.dcm",
    "rtdose_expb.dcm",  # 32-bit words, turned in two ways by two readers
    "rtdose_expb_1frame.dcm",
}
COMPARED = [
    one
    for one in all_images()
    if one.path.name not in NOT_FOR_DCMTK
    and one.table.count
    and one.syntax.media_type not in ("image/jls", "image/jp2", "image/dicom-rle")  # dcm2img of this dcmtk has none
    and one.pixels.rows * one.pixels.columns < 2_000_000
    and not (one.pixels.samples == 3 and one.pixels.bits_allocated == 32)  # refused by dcmtk
]


def opened(one: RealImage, number: int = 0) -> tuple[NativeFrame, Presentation]:
    stream = one.stream(number)
    if one.table.native:
        frame = NativeFrame(one.table.carve(number, stream), one.pixels)
    else:
        frame = decode_frame(stream, one.pixels, one.syntax)
    before = one.dataset[: one.pixels.offset - (8 if one.syntax.implicit else 12)]
    return frame, read_presentation(before, one.syntax, frame.pixels, number)


def picture(one: RealImage, number: int = 0, **options: Any) -> Array:
    png = render_frame(*opened(one, number), RenderOptions("image/png", **options))
    shown: Array = imagecodecs.png_decode(png)
    return shown


def dcmtk_picture(program: str, path: Path, out: Path, *options: str) -> Array:
    subprocess.run([program, "-O", *options, str(path), str(out)], check=True)
    return numpy.asarray(Image.open(out))


def steps(a: Array, b: Array) -> int:
    assert a.shape == b.shape
    return int(numpy.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("one", COMPARED, ids=lambda one: one.path.name)
def test_the_default_picture_is_dcmtks(one: RealImage, tmp_path: Path, dcmtk: Callable[[str], str]) -> None:
    look = opened(one)[1]
    options = ["+Wl", "1"] if look.voi_lut is not None else ["+Wi", "1"] if look.window is not None else ["+Wm"]
    theirs = dcmtk_picture(dcmtk("dcmj2pnm"), one.path, tmp_path / "p.ppm", *options)
    assert steps(picture(one), theirs) <= (1 if theirs.ndim == 2 else 2)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "RG1_UNCI.dcm", "693_UNCI.dcm"])
@pytest.mark.parametrize(("function", "flag"), [("LINEAR", "+Wfl"), ("SIGMOID", "+Wfs")])
def test_the_clients_window_is_applied_as_dcmtk_does(
    name: str, function: str, flag: str, tmp_path: Path, dcmtk: Callable[[str], str]
) -> None:
    one = image(name)
    theirs = dcmtk_picture(dcmtk("dcm2pnm"), one.path, tmp_path / "p.pgm", "+Ww", "300", "800", flag)
    assert steps(picture(one, window=Window(300, 800, WindowFunction[function])), theirs) <= 1


@pytest.mark.parametrize("name", ["CT_small.dcm", "693_UNCI.dcm", "vlut_04.dcm", "examples_overlay.dcm"])
def test_what_the_object_says_is_applied_as_pydicom_does(name: str) -> None:
    one = image(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(one.path)
        values = apply_modality_lut(dataset.pixel_array, dataset)
        if "VOILUTSequence" not in dataset and "WindowCenter" not in dataset:
            dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 1000, 2000, "LINEAR_EXACT"
            ours = picture(one, window=Window(1000, 2000, WindowFunction.LINEAR_EXACT))
        else:
            ours = picture(one)
        shown = apply_voi_lut(values, dataset)
    if "VOILUTSequence" in dataset:
        expected = shown / (2 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1) * 255
    else:
        low, high = output_range(dataset)
        expected = (shown - low) / (high - low) * 255
    assert numpy.abs(ours - expected).max() <= 1


def output_range(dataset: pydicom.Dataset) -> tuple[float, float]:
    """What pydicom maps a window onto: the range of stored values behind the rescale."""
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    return low * slope + intercept, high * slope + intercept


def test_each_frame_of_an_enhanced_object_has_its_own_window() -> None:
    one = image("eCT_Supplemental.dcm")
    looks = [opened(one, number)[1] for number in range(one.table.count)]
    assert all(look.window is not None for look in looks)
    assert picture(one, 1).shape[:2] == (one.pixels.rows, one.pixels.columns)


def test_a_floating_point_image_is_shown() -> None:
    values = numpy.linspace(-1, 1, 64, dtype="<f4")
    pixels = opened(image("CT_small.dcm"))[0].pixels
    pixels = replace(
        pixels, keyword="FloatPixelData", rows=8, columns=8, bits_allocated=32, bits_stored=32, high_bit=31
    )
    png = render_frame(NativeFrame(values.tobytes(), pixels), Presentation(), RenderOptions("image/png"))
    assert steps(imagecodecs.png_decode(png).ravel(), numpy.rint((values + 1) * 127.5)) <= 1


SMALL = image("MR_small.dcm")  # 64 x 64


@pytest.mark.parametrize(
    ("viewport", "shape"),
    [
        (Viewport(32, 32), (32, 32)),
        (Viewport(128, 32), (32, 32)),
        (Viewport(200, 200), (200, 200)),
        (Viewport(32, 32, 16, 8, 32, 16), (16, 32)),
        (Viewport(1, 1), (1, 1)),
        (Viewport(64, 64, 60, 60), (64, 64)),
        (Viewport(64, 64, 0, 0, 999, 999), (64, 64)),
    ],
)
def test_a_viewport_is_filled_as_far_as_the_aspect_ratio_lets_it(viewport: Viewport, shape: tuple[int, int]) -> None:
    assert picture(SMALL, viewport=viewport).shape == shape


def test_a_source_region_is_cut_and_negative_sides_mirror() -> None:
    whole = picture(SMALL)
    cut = picture(SMALL, viewport=Viewport(20, 10, 5, 7, 20, 10))
    assert numpy.array_equal(cut, whole[7:17, 5:25])
    turned = picture(SMALL, viewport=Viewport(20, 10, 5, 7, -20, -10))
    assert numpy.array_equal(turned, whole[7:17, 5:25][::-1, ::-1])


def test_a_region_outside_the_image_is_refused() -> None:
    with pytest.raises(UndecodableImage):
        picture(SMALL, viewport=Viewport(20, 10, 64, 0))


def test_a_smaller_picture_looks_like_the_large_one() -> None:
    one = image("RG1_UNCI.dcm")
    theirs = numpy.asarray(Image.fromarray(picture(one)).resize((184, 196), Image.Resampling.BOX))
    ours = picture(one, viewport=Viewport(184, 300))
    assert ours.shape[1] == 184
    assert numpy.abs(ours[:195].astype(int) - theirs[:195]).mean() < 6


def test_quality_trades_bytes_for_fidelity() -> None:
    frame, look = opened(SMALL)
    sizes = [len(render_frame(frame, look, RenderOptions(quality=quality))) for quality in (1, 50, 100)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3
    jpeg = imagecodecs.jpeg8_decode(render_frame(frame, look, RenderOptions(quality=100)))
    assert steps(jpeg, picture(SMALL)) <= 4


def test_a_padding_value_does_not_stretch_the_grey_scale() -> None:
    values = numpy.array([0, 1000, 1100, 1200], "<u2")
    pixels = replace(SMALL.pixels, rows=2, columns=2, pixel_representation=0, bits_stored=16, high_bit=15)
    shown = render_frame(
        NativeFrame(values.tobytes(), pixels), Presentation(padding=(0, 0)), RenderOptions("image/png")
    )
    assert imagecodecs.png_decode(shown).ravel().tolist() == [0, 0, 128, 255]
