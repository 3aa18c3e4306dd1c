"""What /readyz looks at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fileroom.ops.health import packs_check
from fileroom.settings import Settings


def test_many_may_ask_at_once_whether_packs_can_be_written(tmp_path: Path) -> None:
    settings = replace(Settings(), home=tmp_path, free_bytes_min=0)
    settings.packs.mkdir()
    check = packs_check(settings)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: check.why_not(), range(400))) == {""}
    assert list(settings.packs.iterdir()) == []


def test_a_folder_that_is_gone_is_the_reason(tmp_path: Path) -> None:
    assert "cannot be written" in packs_check(replace(Settings(), home=tmp_path)).why_not()
