"""Ages and sexes as a page says them."""

from __future__ import annotations

import pytest

from fileroom.reading.persons import age_text, sex_text


@pytest.mark.parametrize(
    ("born", "study", "sent", "said"),
    [
        ("19640728", "20220920", "", "58 years"),
        ("19640728", "20220727", "", "57 years"),
        ("20240229", "20260228", "", "23 months"),
        ("20240229", "20260301", "", "2 years"),
        ("20260101", "20260201", "", "1 month"),
        ("20260131", "20260201", "", "1 day"),
        ("20260201", "20260201", "", "0 days"),
        ("20260202", "20260201", "", ""),  # born after the study: nobody knows
        (None, "20260201", "052Y", "52 years"),
        ("19000231", "20260201", "001D", "1 day"),  # no such day
        (None, None, None, ""),
        (None, None, "old", "old"),
        ("１９６４０７２８", "20220920", "", ""),
    ],
)
def test_age(born: str | None, study: str | None, sent: str | None, said: str) -> None:
    assert age_text(born, study, sent) == said


def test_sex() -> None:
    assert [sex_text(value) for value in ("F", "M", "O", "X", "", None)] == ["female", "male", "other", "X", "", ""]
