"""Where the viewer opens a study."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlencode

from fileroom.archive.first_images import FirstImage
from fileroom.web.segment import segment

# Names in static/mammography.js: of the hanging protocol, and of its stage that shows two examinations
MAMMOGRAPHY = "fileroom-mammography"
BESIDE_PRIOR = "current-beside-prior"


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
    """What the viewer will ask the archive for first about these: frames, and what the first of their series says.

    What the other series say is little, and asked for at once by the viewer itself.
    """
    paths = []
    for study, series, sop in first:
        at = f"/dicomweb/studies/{segment(study)}/series/{segment(series)}"
        paths.append(f"{at}/instances/{segment(sop)}/frames/1")
        if len(paths) == 1:
            paths.append(f"{at}/metadata")
    return paths
