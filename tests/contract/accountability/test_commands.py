"""`fileroom map`, `statement` and `verify`, as people and programs use them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fileroom.accountability.map import Maps
from fileroom.accountability.rows import REQUIRED, Role
from fileroom.accountability.versions import day
from fileroom.archive.binding import bind
from fileroom.archive.packs import Packs
from fileroom.database import Database
from fileroom.ops.cli import main
from tests.support.responsibility import facts, row

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command in this process: exit code and answer. Twenty of them are twenty starts less."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # `main` puts its own there

    def run(*arguments: str | Path) -> tuple[int, Any]:
        home = ("--json", "--home", str(tmp_path / "home"))
        monkeypatch.setattr(sys, "argv", ["fileroom", *map(str, arguments), *home])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return run


ROW = (
    *("--person", "Jane Doe", "--mail", "jane.doe@example.org", "--deputy", "Dan Zoe", "--deputy-mail"),
    *("dan.zoe@example.org", "--organisation", "Example Imaging", "--owner", "customer"),
    *("--contact", "+1 555 0100", "--out-of-hours", "+1 555 0101"),
)
BACKUP = "backup-and-recovery-owner"
OTHERS = tuple(role for role in REQUIRED if role is not Role.BACKUP)


def test_a_map_is_made_accepted_decided_signed_and_believed(run: Run, tmp_path: Path) -> None:
    code, told = run("map", "set", BACKUP, "--person", "IT Team", "--mail", "it@example.org")
    assert code == 2
    assert "a new row needs" in told["error"]
    assert run("map", "set", BACKUP, *ROW)[1]["version"] == 1
    code, told = run("map", "set", BACKUP, "--person", "IT Team", "--mail", "it@example.org")
    assert code == 2
    assert "one person" in told["error"]
    assert run("map", "accept", BACKUP, "--mail", "dan.zoe@example.org", "--how", "on paper")[0] == 3
    assert run("map", "set", BACKUP, "--contact", "+1 555 0199")[1]["row"]["person"]["name"] == "Jane Doe"
    assert run("map", "accept", BACKUP, "--mail", "jane.doe@example.org", "--how", "on paper")[0] == 0
    assert run("map", "diff")[1]["changes"] == ["Backup owner: contact: +1 555 0100 -> +1 555 0199"]

    observed = _fill(tmp_path / "home", tmp_path)
    assert run("map", "show")[0] == 1
    code, told = run("map", "show", "--facts", observed)
    assert (code, told["go_live"]["reasons"]) == (1, ["nobody has decided"])
    assert {one["status"] for one in told["map"]["rows"]} == {"active"}
    evidence = tmp_path / "evidence.json"
    evidence.write_text('{"checks": []}')
    decide = ("map", "decide", "--why", "all in order", "--evidence", evidence, "--facts", observed, "--verdict")
    reviewer = ("--person", "Eva Loe", "--mail", "eva.loe@example.org")
    assert run(*decide, "approve", *reviewer)[0] == 3
    approver = ("--person", "Pat Moe", "--mail", "pat.moe@example.org")
    condition = ("--condition", "a second drill|Dan Zoe|dan.zoe@example.org|2090-01-31")
    code, told = run(*decide, "approve-with-conditions", *approver, *condition)
    assert (code, told["go_live"]["yes"]) == (0, True)
    assert run("map", "show", "--facts", observed)[0] == 0

    file, key = tmp_path / "statement.json", tmp_path / "home" / "ledger" / "key.pub"
    assert run("statement", file, "--with-verifier", "--facts", observed)[0] == 0
    assert run("statement", file)[0] == 2  # it is there
    code, told = run("verify", file, "--key", key)
    assert (code, told["good"], told["statement"]["go_live"]["yes"]) == (0, True, True)
    script = [sys.executable, "-I", str(tmp_path / "verify_statement.py"), str(file), str(key)]
    assert "Verified" in subprocess.run(script, capture_output=True, text=True, timeout=60, check=True).stdout
    file.write_bytes(file.read_bytes().replace(b"Jane", b"Joan"))
    assert run("verify", file, "--key", key)[0] == 1


def test_what_passed_is_proven_once_a_person_answers_for_it_and_the_statement_says_so(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run("map", "set", BACKUP, *ROW)  # another role than the one that answers for what is looked at
    database = Database(f"sqlite:///{home / 'fileroom.sqlite'}")
    bind(database, Packs(home / "packs"))
    database.close()
    assert run("check", "run", "software-list")[0] == 0
    assert _proven(run("answers")[1]) == []
    observed = _fill(home, tmp_path)
    told = run("answers")[1]
    assert _proven(told) == ["software-list"]
    assert {row["person"]["name"] for row in told["map"]["rows"]} > {"Jane Doe"}
    file = tmp_path / "statement.json"
    assert run("statement", file, "--facts", observed)[0] == 0
    said = run("verify", file, "--key", home / "ledger" / "key.pub")[1]["statement"]
    assert (said["questions"], said["checks"]) == (told["questions"], told["checks"])
    assert run("statement", tmp_path / "other.json", "--system", "a cloud")[0] == 0
    other = run("verify", tmp_path / "other.json", "--key", home / "ledger" / "key.pub")[1]["statement"]
    assert (other["questions"], other["checks"], other["map"]) == ([], [], None)  # not of this system


def _proven(told: dict[str, Any]) -> list[str]:
    said = [one for question in told["questions"] for one in question["sentences"] if one["status"] == "proven"]
    return [name for one in said for name in one["checks"]]


def _fill(home: Path, folder: Path) -> Path:
    """The other roles, accepted; and facts that are all in order."""
    now_ms = int(time.time() * 1000)
    reviewed = day(now_ms)
    database = Database(f"sqlite:///{home / 'fileroom.sqlite'}")
    maps = Maps(database)
    for role in OTHERS:
        one = row(role, reviewed=reviewed, next_review=reviewed + timedelta(days=365))
        made = maps.propose(one, "tests")
        maps.accept(role, one.person, "on paper", "tests")
    database.close()
    observed = folder / "observed.json"
    observed.write_text(json.dumps(asdict(facts(made, now_ms))))
    return observed
