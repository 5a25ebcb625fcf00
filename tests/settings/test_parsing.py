"""How stored values become the values of settings."""

from __future__ import annotations

import pytest

from settings.config import Stash2PlexConfig
from settings.parsing import parse_setting
from settings.table import BY_NAME, TABLE, Setting

pytestmark = pytest.mark.unit

NUMBERS = [setting for setting in TABLE if setting.kind == "NUMBER"]
SWITCHES = [setting for setting in TABLE if setting.kind == "BOOLEAN"]


def names(setting: Setting) -> str:
    return setting.name


@pytest.mark.parametrize("setting", TABLE, ids=names)
@pytest.mark.parametrize("nothing", [None, "", "  ", "\n\t"])
def test_from_settings_empty_value_is_the_default(setting: Setting, nothing: object) -> None:
    found = Stash2PlexConfig.from_settings({setting.name: nothing})
    assert found == Stash2PlexConfig()
    assert found.problems == ()


@pytest.mark.parametrize("setting", NUMBERS, ids=names)
@pytest.mark.parametrize("zero", [0, 0.0, "0", "0.0", " 0 "])
def test_parse_setting_zero_is_the_default(setting: Setting, zero: object) -> None:
    assert parse_setting(setting, zero) == (setting.default, None)


@pytest.mark.parametrize(
    ("name", "stored", "wanted"),
    [
        ("max_retries", 7, 7),
        ("max_retries", 7.0, 7),
        ("max_retries", "7", 7),
        ("max_retries", " 7.0 ", 7),
        ("max_retries", 100, 100),
        ("max_tags", 10_000, 10_000),
        ("poll_interval", 1, 1.0),
        ("poll_interval", "0.25", 0.25),
        ("poll_interval", 0.05, 0.05),
        ("read_timeout", 90.5, 90.5),
        ("read_timeout", "1e2", 100.0),
    ],
)
def test_parse_setting_accepts_numbers_of_any_type(name: str, stored: object, wanted: float) -> None:
    found, problem = parse_setting(BY_NAME[name], stored)
    assert (found, problem) == (wanted, None)
    assert isinstance(found, int) is BY_NAME[name].whole


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("max_retries", 101),
        ("max_retries", -1),
        ("max_retries", 2.5),
        ("max_retries", "many"),
        ("max_retries", True),
        ("max_retries", [5]),
        ("max_retries", {"a": 5}),
        ("max_retries", "NaN"),
        ("max_retries", float("inf")),
        ("max_retries", 10**400),
        ("poll_interval", 1.01),
        ("poll_interval", 0.01),
        ("connect_timeout", 301),
        ("max_tags", 10_001),
    ],
)
def test_from_settings_unusable_number_is_a_problem(name: str, stored: object) -> None:
    found = Stash2PlexConfig.from_settings({name: stored})
    assert getattr(found, name) == BY_NAME[name].default
    (problem,) = found.problems
    assert problem.startswith(f"{BY_NAME[name].title} must be a ")
    assert f"from {BY_NAME[name].low:g} to {BY_NAME[name].high:g}" in problem
    assert ("whole number" in problem) is BY_NAME[name].whole
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        *((value, True) for value in (True, "true", "TRUE", " yes ", "on", 1, 1.0, "1")),
        *((value, False) for value in (False, "false", "No", "off", 0, 0.0, "0")),
    ],
)
@pytest.mark.parametrize("name", ["enabled", "preserve_plex_edits"])
def test_parse_setting_accepts_switches_of_any_type(name: str, stored: object, wanted: bool) -> None:
    assert parse_setting(BY_NAME[name], stored) == (wanted, None)


@pytest.mark.parametrize("stored", ["maybe", 2, -1, [True], {}])
def test_parse_setting_unusable_switch_is_a_problem(stored: object) -> None:
    for setting in SWITCHES:
        found, problem = parse_setting(setting, stored)
        assert found is setting.default
        assert problem == f"{setting.title} must be on or off, not {str(stored)!r}"
