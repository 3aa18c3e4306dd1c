"""Where the viewer opens a study."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlencode

from fileroom.archive.first_images import FirstImage
from fileroom.web.segment import segment

# Names in static/mammography.js: of the hanging protocol, and of its stage that shows two examinations
MAMMOGRAPHY = "fileroom-mammography"
BESIDE_PRIOR = "current-beside-prior"
# What OHIF searches with
_SERIES = "includefield=00080021%2C00080031%2C0008103E%2C00200011"
_STUDY = (
    "/dicomweb/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030"
    "&StudyInstanceUID="
)


def viewer_path(study_uids: Sequence[str], modalities: Collection[str]) -> str:
    """The path and query that open these studies side by side; the first is the current one, the others priors.

    `modalities` are those of the current study. Mammograms hang by protocol; when no prior is named, the viewer adds
    the latest earlier mammogram of the same patient by itself.
    """
    query = {"StudyInstanceUIDs": ",".join(study_uids)}
    if "MG" in modalities:
        query["hangingProtocolId"] = MAMMOGRAPHY
        if len(study_uids) > 1:
            query["stageId"] = BESIDE_PRIOR
    return "/viewer/viewer?" + urlencode(query, safe=",")


def early_paths(first: Iterable[FirstImage]) -> list[str]:
    """What the viewer will ask the archive for first about these, word for word as it does: their studies and series,
    what the first series says, and frames.

    What the other series say is little, and asked for at once by the viewer itself.
    """
    images = list(first)
    studies = [segment(study) for study in dict.fromkeys(image.study_uid for image in images)]
    paths = [_STUDY + studies[0]] if len(studies) == 1 else []
    paths += [f"/dicomweb/studies/{study}/series?{_SERIES}" for study in studies]
    for number, (study, series, sop) in enumerate(images):
        at = f"/dicomweb/studies/{segment(study)}/series/{segment(series)}"
        if number == 0:
            paths.append(f"{at}/metadata")
        paths.append(f"{at}/instances/{segment(sop)}/frames/1")
    return paths
