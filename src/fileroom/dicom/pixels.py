"""Decoding one frame to what native pixel data would hold (PS3.5 8). Runs in the decode worker only.

Colour, as the native frame declares it:
- lossy JPEG in a YBR photometric interpretation, and JPEG 2000 and HTJ2K in YBR_ICT or YBR_RCT, become RGB;
- lossy JPEG declared RGB stays as it is coded unless an Adobe marker says it is YCbCr;
- everything else keeps its photometric interpretation, but YBR_FULL_422, with all samples there, is YBR_FULL.
The planar configuration is the declared one.
"""

from __future__ import annotations

import struct
import sys
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fileroom.dicom import codestream
from fileroom.dicom.codestream import Codestream
from fileroom.dicom.frames import frame_bits, is_video
from fileroom.dicom.header import Buffer, Pixels
from fileroom.dicom.syntax import DEFLATED_FRAMES, ENCAPSULATED_LE, RLE_LOSSLESS, TransferSyntax
from fileroom.errors import UndecodableImage

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

FRAME_BYTES_MAX = 1 << 30  # of one native frame

_START_OF_SCAN = b"\xff\xda"
_SCANS_MAX = 256  # of one JPEG frame: progressive ones have about ten, and each scan walks the whole image
_HUFFMAN_DCT = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_HUFFMAN_LOSSLESS = 0xC3
_JXL_JPEG_RECOMPRESSION = "1.2.840.10008.1.2.4.111"


@dataclass(frozen=True, slots=True)
class NativeFrame:
    """One frame as native little-endian pixel data holds it."""

    data: Buffer
    pixels: Pixels  # as a native dataset would declare it: photometric interpretation and bits may differ


def decode_frame(stream: bytes, pixels: Pixels, syntax: TransferSyntax) -> NativeFrame:
    """Decode one frame's bytes (its fragments joined).

    Raises UndecodableImage when the codestream is damaged, is of a kind not decoded here (video), or does not hold
    what the dataset declares: rows, columns, samples and depth are compared before anything is allocated.
    """
    size = expected_size(pixels)
    if not syntax.encapsulated or syntax.uid == ENCAPSULATED_LE:
        return NativeFrame(_exactly(stream, size), pixels)
    if syntax.uid == DEFLATED_FRAMES:
        return NativeFrame(_inflated(stream, size), pixels)
    if pixels.bits_allocated not in (8, 16, 32):
        raise UndecodableImage(f"{pixels.bits_allocated} bits allocated cannot be compressed this way")
    if syntax.uid == RLE_LOSSLESS:
        return NativeFrame(_rle(stream, pixels), replace(pixels, photometric=_upsampled(pixels.photometric)))
    array, photometric = _decoded(stream, pixels, syntax)
    return _native(array, replace(pixels, photometric=_upsampled(photometric)))


def _upsampled(photometric: str) -> str:
    """What a frame declares that has every sample of every pixel."""
    return "YBR_FULL" if photometric == "YBR_FULL_422" else photometric


def expected_size(pixels: Pixels) -> int:
    """Bytes of one native frame. Raises UndecodableImage when there are none, or more than `FRAME_BYTES_MAX`."""
    size = (frame_bits(pixels) + 7) // 8
    if not 0 < size <= FRAME_BYTES_MAX:
        raise UndecodableImage(f"a frame of {size} bytes is declared")
    return size


def _exactly(stream: bytes, size: int) -> bytes:
    if len(stream) < size:
        raise UndecodableImage(f"a frame of {size} bytes is declared, {len(stream)} are there")
    return stream[:size]


def _inflated(stream: bytes, size: int) -> bytes:
    """Deflated Image Frame Compression (PS3.5 A.4.13): raw deflate; never inflates more than the frame."""
    try:
        return _exactly(zlib.decompressobj(wbits=-15).decompress(stream, size), size)
    except zlib.error as error:
        raise UndecodableImage("deflated frame: damaged") from error


def _rle(stream: bytes, pixels: Pixels) -> bytes:
    """RLE Lossless (PS3.5 G): one segment a byte plane, most significant byte first."""
    import numpy

    depth = pixels.bits_allocated // 8
    planes, size = depth * pixels.samples, pixels.rows * pixels.columns
    try:
        count, *offsets = struct.unpack_from("<16I", stream)
    except struct.error:
        raise UndecodableImage("RLE: ends inside its header") from None
    if count != planes or planes > 15:
        raise UndecodableImage(f"RLE: {planes} segments are needed, {count} are declared")
    bounds = [*offsets[:count], len(stream)]
    if any(not 64 <= a <= b for a, b in pairwise(bounds)):
        raise UndecodableImage("RLE: segments lie outside the frame")
    out = numpy.empty((pixels.samples, size, depth), numpy.uint8)
    for plane in range(planes):
        segment = _packbits(stream[bounds[plane] : bounds[plane + 1]], size)
        out[plane // depth, :, depth - 1 - plane % depth] = numpy.frombuffer(segment, numpy.uint8)
    return (out if pixels.planar == 1 else out.transpose(1, 0, 2)).tobytes()


def _packbits(segment: bytes, size: int) -> Buffer:
    import imagecodecs

    out = bytearray(size)
    try:
        decoded = imagecodecs.packbits_decode(segment, out=out)
    except (imagecodecs.PackbitsError, ValueError) as error:
        raise UndecodableImage("RLE: a segment is damaged") from error
    if len(decoded) < size:
        raise UndecodableImage("RLE: a segment is too short")
    return out


def _decoded(stream: bytes, pixels: Pixels, syntax: TransferSyntax) -> tuple[Array, str]:
    """The decoder's array and the photometric interpretation it is in."""
    import imagecodecs

    if is_video(syntax):
        raise UndecodableImage("video is not decoded")
    try:
        if syntax.media_type == "image/jpeg":
            return _jpeg(stream, pixels, syntax)
        if syntax.media_type == "image/jls":
            _check(codestream.jpeg(stream), pixels)
            _check_end(stream)
            return imagecodecs.jpegls_decode(stream), pixels.photometric
        if syntax.media_type in ("image/jp2", "image/jpx", "image/jphc"):
            return _jpeg_2000(stream, pixels, syntax)
        if syntax.media_type == "image/jxl":
            photometric = "RGB" if pixels.samples == 3 else pixels.photometric
            return imagecodecs.jpegxl_decode(stream, numthreads=1), photometric
    except (RuntimeError, ValueError, TypeError, struct.error) as error:  # what imagecodecs raises, by codec
        raise UndecodableImage(f"{syntax.name}: damaged, or not such a stream") from error
    raise UndecodableImage(f"transfer syntax {syntax.uid} is not decoded")


def _check(claims: Codestream, pixels: Pixels) -> None:
    if (claims.rows, claims.columns, claims.samples) != (pixels.rows, pixels.columns, pixels.samples):
        raise UndecodableImage(
            f"the dataset declares {pixels.rows} x {pixels.columns} x {pixels.samples}, "
            f"the codestream {claims.rows} x {claims.columns} x {claims.samples}"
        )
    if claims.precision > pixels.bits_allocated:
        raise UndecodableImage(f"samples of {claims.precision} bits do not fit into {pixels.bits_allocated}")


def _check_end(stream: bytes) -> None:
    """Some decoders fill in what a cut stream lacks and say nothing, or take minutes to notice.

    Part of an image must not pass for an image.
    """
    if b"\xff\xd9" not in stream[-64:]:
        raise UndecodableImage("the codestream is cut short")


def _check_scans(stream: bytes, claims: Codestream) -> None:
    """Refuse what cannot be an image whole, and what would keep a decoder busy for minutes.

    Every Huffman code is at least one bit: of each block of 8 x 8 samples, of each sample where it is lossless. A
    stream that is shorter than that lacks most of its image, which the decoder would fill in with grey.
    """
    if stream.count(_START_OF_SCAN) > _SCANS_MAX:
        raise UndecodableImage(f"JPEG: more than {_SCANS_MAX} scans")
    if claims.frame_marker in _HUFFMAN_DCT:
        least_bits = -(-claims.rows // 8) * -(-claims.columns // 8)
    elif claims.frame_marker == _HUFFMAN_LOSSLESS:
        least_bits = claims.rows * claims.columns * claims.samples
    else:
        return
    if claims.samples > 1:
        least_bits //= 4  # where one colour is sampled less across and another less down
    if 8 * len(stream) < least_bits:
        raise UndecodableImage("the codestream is too short for the image it claims")


def _jpeg(stream: bytes, pixels: Pixels, syntax: TransferSyntax) -> tuple[Array, str]:
    import imagecodecs

    claims = codestream.jpeg(stream)
    _check(claims, pixels)
    _check_end(stream)
    _check_scans(stream, claims)
    if pixels.samples != 3:
        return imagecodecs.jpeg8_decode(stream), pixels.photometric
    if not syntax.lossy:  # lossless JPEG is never transformed (PS3.5 8.2.1)
        return imagecodecs.jpeg8_decode(stream, colorspace="RGB", outcolorspace="RGB"), pixels.photometric
    coded = "YCbCr" if claims.adobe == 1 or (pixels.photometric != "RGB" and claims.adobe != 0) else "RGB"
    return imagecodecs.jpeg8_decode(stream, colorspace=coded, outcolorspace="RGB"), "RGB"


def _jpeg_2000(stream: bytes, pixels: Pixels, syntax: TransferSyntax) -> tuple[Array, str]:
    import imagecodecs
    import numpy

    claims = codestream.jpeg_2000(stream)
    _check(claims, pixels)
    if syntax.media_type == "image/jphc":
        _check_end(stream)
        array = imagecodecs.htj2k_decode(stream)
    else:
        array = imagecodecs.jpeg2k_decode(stream, numthreads=1)
    if bool(pixels.pixel_representation) != claims.signed and array.dtype.kind in "iu":
        # encoders that forget the sign: the bits are right, their reading is not
        width = array.dtype.itemsize * 8
        unsigned = array.view(numpy.dtype(f"u{array.dtype.itemsize}"))
        shifted = unsigned << (width - claims.precision)
        array = shifted.view(array.dtype.str.replace("u", "i")) if pixels.pixel_representation else shifted
        array = array >> (width - claims.precision)
    return array, "RGB" if pixels.photometric in ("YBR_ICT", "YBR_RCT") else pixels.photometric


def _native(array: Array, pixels: Pixels) -> NativeFrame:
    """A decoder's array as native bytes: depth as allocated, little endian, declared planar configuration."""
    shape = (pixels.rows, pixels.columns, pixels.samples)[: 3 if pixels.samples > 1 else 2]
    if array.shape != shape or array.dtype.kind not in "iu":
        raise UndecodableImage(f"decoded to {array.shape} {array.dtype}, {shape} is declared")
    width = pixels.bits_allocated // 8
    if array.dtype.itemsize > width:
        raise UndecodableImage(f"decoded to {array.dtype.itemsize * 8} bits, {pixels.bits_allocated} are allocated")
    if array.dtype.itemsize < width:
        array = array.astype(f"<{array.dtype.kind}{width}")
    elif sys.byteorder == "big":
        array = array.byteswap()
    if pixels.samples > 1 and pixels.planar == 1:
        array = array.transpose(2, 0, 1)
    import numpy

    return NativeFrame(numpy.ascontiguousarray(array).data.cast("B"), pixels)
