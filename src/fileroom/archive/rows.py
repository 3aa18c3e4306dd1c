"""What a search answers: rows of one level with the values of every level above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fileroom.archive.conditions import TABLES
from fileroom.dicom.attributes import BY_TAG, Attribute, Level, at_level

_OWN_COLUMNS: dict[Level, tuple[tuple[str, str], ...]] = {  # (name in a Row, column) beside the attributes
    Level.PATIENT: (("patient_pk", "id"), ("study_count", "study_count")),
    Level.STUDY: (("study_pk", "id"), ("revision", "revision"), ("size_bytes", "size_bytes")),
    Level.SERIES: (("series_pk", "id"), ("revision", "revision")),
    Level.IMAGE: (("instance_pk", "id"), ("transfer_syntax", "transfer_syntax"), ("size_bytes", "size_bytes")),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rows of one level hold."""

    level: Level
    attributes: tuple[Attribute, ...]  # of the level and those above, by tag
    by_tag: Mapping[int, int]  # tag to place in the values
    by_name: Mapping[str, int]  # column, or a name of _OWN_COLUMNS, to place; the level's own wins


class Row:
    """One match: values of its level and of every level above. None: absent."""

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: tuple[Any, ...]) -> None:
        self.shape = shape
        self.values = values

    def __getitem__(self, name: str) -> Any:
        """By column, the level's own first; also patient_pk, study_pk, series_pk, instance_pk, revision, ..."""
        return self.values[self.shape.by_name[name]]

    def text(self, attribute: Attribute) -> str:
        """The attribute's value as DICOM text, several joined by a backslash; "" when absent."""
        value = self.values[self.shape.by_tag[attribute.tag]]
        return "" if value is None else str(value)


def _selection(level: Level) -> tuple[tuple[sa.Column[Any], ...], Shape]:
    """The columns to select for a level, and where in the rows they stand."""
    columns: list[sa.Column[Any]] = []
    by_tag: dict[int, int] = {}
    by_name: dict[str, int] = {}
    for at in Level:
        if at > level:
            break
        for attribute in at_level(at):
            by_tag[attribute.tag] = by_name[attribute.column] = len(columns)
            columns.append(TABLES[at].c[attribute.column])
        for name, column in _OWN_COLUMNS[at]:
            by_name[name] = len(columns)
            columns.append(TABLES[at].c[column])
    attributes = tuple(BY_TAG[tag] for tag in sorted(by_tag))
    return tuple(columns), Shape(level, attributes, by_tag, by_name)


_SELECTIONS = {level: _selection(level) for level in Level}
SELECTED: Mapping[Level, tuple[sa.Column[Any], ...]] = {level: columns for level, (columns, _) in _SELECTIONS.items()}
SHAPES: Mapping[Level, Shape] = {level: shape for level, (_, shape) in _SELECTIONS.items()}
