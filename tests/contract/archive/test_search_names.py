"""Names and wildcards against a model in Python: every pattern finds what the model says, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.archive.search import Query, Search
from fileroom.database import METADATA, Database
from fileroom.dicom.attributes import Level
from fileroom.dicom.names import fold_name
from tests.support.rows import Rows

ALPHABET = "aBÄ%_~^. '"
NAMES = sorted({f"{a}{b}^{c}" for a in "aBÄ%_~" for b in ["", "a", " b", "'."] for c in ["", "a", "B^Dr", "Ä_"]})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def search(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('names') / 'index.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_server").new_database()
    database = Database(url)
    METADATA.create_all(database.engine)
    rows = Rows()
    for number, name in enumerate(NAMES):
        rows.study(f"1.{number}", patient_name=name, patient_id=name)
    rows.write(database)
    yield Search(database)
    database.close()


def _found(search: Search, **keys: str) -> set[str]:
    return {row["patient_name"] for row in search.find(Query(Level.STUDY, keys))}


def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)


@given(st.text(ALPHABET + "*?", min_size=1, max_size=7))
def test_a_name_is_found_when_the_model_matches_it(search: Search, key: str) -> None:
    pattern = fold_name(key)
    shorter = re.sub(r"(\^\*+)+$", "", pattern)  # components that are not there are empty
    patterns = {_regex(pattern), _regex(shorter)} if shorter != pattern else {_regex(pattern)}
    everything = not pattern.strip(" *")  # "^" too: a name without any component is an empty key
    expected = {n for n in NAMES if everything or any(p.fullmatch(fold_name(n)) for p in patterns)}
    assert _found(search, PatientName=key) == expected


@given(st.text(ALPHABET.replace(" ", "") + "*?", min_size=1, max_size=7))
def test_other_text_is_matched_to_the_letter(search: Search, key: str) -> None:
    everything = not key.strip("*")
    expected = {n for n in NAMES if everything or _regex(key).fullmatch(n)}
    assert _found(search, PatientID=key) == expected
