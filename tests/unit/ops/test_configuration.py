"""Settings come from the environment and the command line; what is wrong is named with its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from fileroom.errors import BadSetting
from fileroom.ops.configuration import load
from fileroom.settings import Address, Settings

NOWHERE = {"FILEROOM_HOME": "/nonexistent/fileroom"}  # no file there


def test_without_any_source_the_defaults_hold() -> None:
    assert load({}, NOWHERE) == Settings(home=Path("/nonexistent/fileroom"))


def test_the_command_line_is_stronger_than_the_environment() -> None:
    environment = NOWHERE | {"FILEROOM_WEB": "127.0.0.1:1", "FILEROOM_AE_TITLE": "FROM_ENV"}
    settings = load({"web": "127.0.0.1:2", "ae_title": None}, environment)
    assert (settings.web, settings.ae_title) == (Address("127.0.0.1", 2), "FROM_ENV")


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(BadSetting, match="the environment sets FILEROOM_DICON, which is no setting") as caught:
        load({}, NOWHERE | {"FILEROOM_DICON": "127.0.0.1:11112"})
    assert caught.value.hint == "did you mean FILEROOM_DICOM?"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("web", "[::1]:8080", Address("::1", 8080)),
        ("web", "localhost:0", Address("localhost", 0)),
        ("pack_bytes_max", "2 GiB", 2 << 30),
        ("pack_bytes_max", "3000000", 3_000_000),
        ("drain_seconds", "0.5", 0.5),
        ("log_format", "json", "json"),
        ("ae_title", "CT ROOM-1", "CT ROOM-1"),
    ],
)
def test_a_good_value_is_read(key: str, text: str, value: object) -> None:
    assert getattr(load({}, NOWHERE | {f"FILEROOM_{key.upper()}": text}), key) == value


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("web", "8080", "expected HOST:PORT"),
        ("web", "127.0.0.1:99999", "expected HOST:PORT"),
        ("web", "127.0.0.1:-1", "expected HOST:PORT"),
        ("web", ":8080", "expected HOST:PORT"),
        ("pack_bytes_max", "2 GB", "expected a whole number"),
        ("pack_bytes_max", "12", "expected at least 1048576, not 12"),
        ("dimse_associations_max", "0", "expected at least 1, not 0"),
        ("drain_seconds", "nan", "expected a number"),
        ("drain_seconds", "soon", "expected a number"),
        ("log_level", "loud", "expected one of debug, info, warning, error"),
        ("home", "", "expected a path"),
        ("ae_title", "SEVENTEEN_LETTERS", "1 to 16 characters"),
        ("ae_title", "BACK\\SLASH", "1 to 16 characters"),
        ("ae_title", "  ", "1 to 16 characters"),
        ("site", "", "1 to 64"),
        ("database_url", "mysql://localhost/x", "postgresql://"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_what_is_expected(key: str, text: str, expected: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load({}, NOWHERE | {f"FILEROOM_{key.upper()}": text})
    assert key in str(caught.value)
    assert expected in str(caught.value)


def test_a_bad_value_names_where_it_came_from() -> None:
    with pytest.raises(BadSetting, match="web, from the command line"):
        load({"web": "nowhere"}, NOWHERE)


def test_the_database_lies_in_the_home_unless_it_is_named() -> None:
    assert load({}, NOWHERE).database == "sqlite:////nonexistent/fileroom/fileroom.sqlite"
    named = load({}, NOWHERE | {"FILEROOM_DATABASE_URL": "postgresql://localhost/x"})
    assert (named.database, named.sqlite_file) == ("postgresql://localhost/x", None)
