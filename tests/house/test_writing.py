"""Small things that are noticed late."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, SOURCE, shown, tracked


def test_logs_never_print_a_patient() -> None:
    word = re.compile(r"log(?:ger)?\.\w+\([^)\n]*(?:patient_name|patient_id|accession|birth_date)")
    guilty = [shown(path) for path in SOURCE.rglob("*.py") if word.search(path.read_text())]
    assert guilty == []


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    broken = [
        f"{shown(path)} -> {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in link.findall(path.read_text())
        if not (path.parent / target).exists() and not (ROOT / target.lstrip("/")).exists()
    ]
    assert broken == []


def test_no_tracked_file_is_larger_than_a_megabyte() -> None:
    assert [shown(path) for path in tracked() if path.stat().st_size > 1 << 20] == []
