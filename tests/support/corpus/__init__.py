"""A seeded, wholly fictitious corpus: the same bytes on every machine, made fast enough to be made anew each time.

    ct_study(3, slices=100)    100 CT slices of 0.53 MB
    mammogram_exam(7)          four digital mammograms of 17 MB: L CC, R CC, L MLO, R MLO
    tomosynthesis(1)           one breast tomosynthesis of 60 frames, 157 MB
    small_study(12)            one structured report, key object note or presentation state of 1.3 KB
    small_studies(20_000)      as many one-object studies, of varied people, dates and accession numbers

Numbers choose people, dates and UIDs; equal numbers give equal bytes.
"""

from tests.support.corpus.ct import ct_slice, ct_study
from tests.support.corpus.instance import Instance
from tests.support.corpus.mammography import mammogram_exam
from tests.support.corpus.people import Visit, visit
from tests.support.corpus.small import RARE_FAMILY, small_studies, small_study
from tests.support.corpus.tomosynthesis import tomosynthesis

__all__ = [
    "RARE_FAMILY",
    "Instance",
    "Visit",
    "ct_slice",
    "ct_study",
    "mammogram_exam",
    "small_studies",
    "small_study",
    "tomosynthesis",
    "visit",
]
