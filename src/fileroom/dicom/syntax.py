"""Transfer syntaxes: how a dataset's bytes are laid out and how its pixels are compressed (PS3.5 A, PS3.6 A.4)."""

from __future__ import annotations

from dataclasses import dataclass

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
ENCAPSULATED_LE = "1.2.840.10008.1.2.1.98"
DEFLATED_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
JPEG_XL_RECOMPRESSION = "1.2.840.10008.1.2.4.111"
JPEG_XL = "1.2.840.10008.1.2.4.112"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K = "1.2.840.10008.1.2.4.203"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"

_NATIVE_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """How one dataset is encoded."""

    uid: str
    name: str  # PS3.6 A.4; "unknown" when the standard does not list it
    implicit: bool  # implicit VR; False: explicit VR
    big_endian: bool
    encapsulated: bool  # pixel data lies in fragments (PS3.5 A.4)
    deflated: bool  # the whole dataset is one RFC 1951 stream (PS3.5 A.5)
    lossy: bool  # may have lost information; False: reversible or uncompressed
    media_type: str  # of one frame's bytes (PS3.18 table 8.7.3-5); native: application/octet-stream


def _plain(
    uid: str, name: str, implicit: bool = False, big_endian: bool = False, deflated: bool = False
) -> TransferSyntax:
    return TransferSyntax(uid, name, implicit, big_endian, False, deflated, False, _NATIVE_MEDIA_TYPE)


def _packed(suffix: str, name: str, lossy: bool, media_type: str) -> TransferSyntax:
    return TransferSyntax(f"1.2.840.10008.1.2.{suffix}", name, False, False, True, False, lossy, media_type)


_JPEG, _JLS, _JP2, _JPX = "image/jpeg", "image/jls", "image/jp2", "image/jpx"
_JPHC, _JXL, _RLE = "image/jphc", "image/jxl", "image/dicom-rle"
_MPEG, _MP4, _H265 = "video/mpeg", "video/mp4", "video/H265"

_TABLE: tuple[TransferSyntax, ...] = (
    _plain(IMPLICIT_LE, "Implicit VR Little Endian", implicit=True),
    _plain(EXPLICIT_LE, "Explicit VR Little Endian"),
    _packed("1.98", "Encapsulated Uncompressed Explicit VR Little Endian", False, _NATIVE_MEDIA_TYPE),
    _plain(DEFLATED_LE, "Deflated Explicit VR Little Endian", deflated=True),
    _plain(EXPLICIT_BE, "Explicit VR Big Endian", big_endian=True),
    _packed("4.50", "JPEG Baseline (Process 1)", True, _JPEG),
    _packed("4.51", "JPEG Extended (Process 2 & 4)", True, _JPEG),
    _packed("4.52", "JPEG Extended (Process 3 & 5)", True, _JPEG),
    _packed("4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", True, _JPEG),
    _packed("4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9)", True, _JPEG),
    _packed("4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", True, _JPEG),
    _packed("4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 & 13)", True, _JPEG),
    _packed("4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", False, _JPEG),
    _packed("4.58", "JPEG Lossless, Non-Hierarchical (Process 15)", False, _JPEG),
    _packed("4.59", "JPEG Extended, Hierarchical (Process 16 & 18)", True, _JPEG),
    _packed("4.60", "JPEG Extended, Hierarchical (Process 17 & 19)", True, _JPEG),
    _packed("4.61", "JPEG Spectral Selection, Hierarchical (Process 20 & 22)", True, _JPEG),
    _packed("4.62", "JPEG Spectral Selection, Hierarchical (Process 21 & 23)", True, _JPEG),
    _packed("4.63", "JPEG Full Progression, Hierarchical (Process 24 & 26)", True, _JPEG),
    _packed("4.64", "JPEG Full Progression, Hierarchical (Process 25 & 27)", True, _JPEG),
    _packed("4.65", "JPEG Lossless, Hierarchical (Process 28)", False, _JPEG),
    _packed("4.66", "JPEG Lossless, Hierarchical (Process 29)", False, _JPEG),
    _packed("4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", False, _JPEG),
    _packed("4.80", "JPEG-LS Lossless Image Compression", False, _JLS),
    _packed("4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", True, _JLS),
    _packed("4.90", "JPEG 2000 Image Compression (Lossless Only)", False, _JP2),
    _packed("4.91", "JPEG 2000 Image Compression", True, _JP2),
    _packed("4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)", False, _JPX),
    _packed("4.93", "JPEG 2000 Part 2 Multi-component Image Compression", True, _JPX),
    _plain("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
    _plain("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", deflated=True),
    _packed("4.100", "MPEG2 Main Profile / Main Level", True, _MPEG),
    _packed("4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", True, _MPEG),
    _packed("4.101", "MPEG2 Main Profile / High Level", True, _MPEG),
    _packed("4.101.1", "Fragmentable MPEG2 Main Profile / High Level", True, _MPEG),
    _packed("4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", True, _MP4),
    _packed("4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", True, _MP4),
    _packed("4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", True, _MP4),
    _packed("4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", True, _MP4),
    _packed("4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", True, _MP4),
    _packed("4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", True, _MP4),
    _packed("4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", True, _MP4),
    _packed("4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", True, _MP4),
    _packed("4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", True, _MP4),
    _packed("4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", True, _MP4),
    _packed("4.107", "HEVC/H.265 Main Profile / Level 5.1", True, _H265),
    _packed("4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", True, _H265),
    _packed("4.110", "JPEG XL Lossless", False, _JXL),
    _packed("4.111", "JPEG XL JPEG Recompression", True, _JXL),
    _packed("4.112", "JPEG XL", True, _JXL),
    _packed("4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)", False, _JPHC),
    _packed("4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", False, _JPHC),
    _packed("4.203", "High-Throughput JPEG 2000 Image Compression", True, _JPHC),
    _plain("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced"),
    _plain("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", deflated=True),
    _packed("5", "RLE Lossless", False, _RLE),
    _plain("1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation"),
    _plain("1.2.840.10008.1.2.6.2", "XML Encoding"),
    _packed("7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", False, _NATIVE_MEDIA_TYPE),
    _packed("7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", False, _NATIVE_MEDIA_TYPE),
    _packed("7.3", "SMPTE ST 2110-30 PCM Digital Audio", False, _NATIVE_MEDIA_TYPE),
    _packed("8.1", "Deflated Image Frame Compression", False, _NATIVE_MEDIA_TYPE),
    _plain("1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian", implicit=True),
)

SYNTAXES: dict[str, TransferSyntax] = {s.uid: s for s in _TABLE}


def syntax(uid: str) -> TransferSyntax:
    """The transfer syntax with this UID.

    One the standard does not list (a private one) is read as explicit little endian with encapsulated pixel data
    and is named "unknown": that is how every compressed syntax is built (PS3.5 A.4). It counts as lossy.
    """
    known = SYNTAXES.get(uid)
    if known is not None:
        return known
    return TransferSyntax(uid, "unknown", False, False, True, False, True, _NATIVE_MEDIA_TYPE)
