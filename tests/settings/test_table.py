"""The table of settings."""

from __future__ import annotations

import dataclasses
import re

import pytest

from settings.config import Stash2PlexConfig
from settings.table import BY_NAME, TABLE

pytestmark = pytest.mark.unit


def test_config_fields_match_the_table() -> None:
    fields = {
        field.name: field.default
        for field in dataclasses.fields(Stash2PlexConfig)
        if field.name not in ("problems", "warnings")
    }
    assert fields == {setting.name: setting.default for setting in TABLE}
    assert list(fields) == [setting.name for setting in TABLE]
    assert {name: type(value) for name, value in fields.items() if isinstance(value, (bool, str))} == {
        setting.name: {"BOOLEAN": bool, "STRING": str}[setting.kind] for setting in TABLE if setting.kind != "NUMBER"
    }


def test_table_has_unique_names_titles_and_complete_help() -> None:
    assert len(BY_NAME) == len(TABLE)
    assert len({setting.title for setting in TABLE}) == len(TABLE)
    assert all(re.fullmatch(r"[a-z_]+", setting.name) for setting in TABLE)
    assert all(setting.help.endswith((".", "32400", ")")) for setting in TABLE)
    assert all(setting.low <= setting.default <= setting.high for setting in TABLE if setting.kind == "NUMBER")  # type: ignore[operator]
