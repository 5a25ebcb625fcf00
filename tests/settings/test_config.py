"""The settings: the table, parsing of stored values, and the settings in force."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.config import Stash2PlexConfig
from settings.parsing import parse_setting
from settings.table import BY_NAME, TABLE, Setting

pytestmark = pytest.mark.unit

FULL = {"plex_url": "http://plex:32400", "plex_token": "secret"}
NUMBERS = [setting for setting in TABLE if setting.kind == "NUMBER"]
SWITCHES = [setting for setting in TABLE if setting.kind == "BOOLEAN"]
TEXTS = [setting for setting in TABLE if setting.kind == "STRING"]


def config(**stored: Any) -> Stash2PlexConfig:
    """Return the settings in force."""
    return Stash2PlexConfig.from_settings(stored)


def names(setting: Setting) -> str:
    return setting.name


def test_config_fields_match_the_table() -> None:
    fields = {
        field.name: field.default
        for field in dataclasses.fields(Stash2PlexConfig)
        if field.name not in ("problems", "warnings")
    }
    assert fields == {setting.name: setting.default for setting in TABLE}
    assert list(fields) == [setting.name for setting in TABLE]
    assert {name: type(value) for name, value in fields.items() if isinstance(value, (bool, str))} == {
        setting.name: {"BOOLEAN": bool, "STRING": str}[setting.kind] for setting in [*SWITCHES, *TEXTS]
    }


def test_table_has_unique_names_titles_and_complete_help() -> None:
    assert len(BY_NAME) == len(TABLE)
    assert len({setting.title for setting in TABLE}) == len(TABLE)
    assert all(re.fullmatch(r"[a-z_]+", setting.name) for setting in TABLE)
    assert all(setting.help.endswith((".", "32400", ")")) for setting in TABLE)
    assert all(setting.low <= setting.default <= setting.high for setting in NUMBERS)  # type: ignore[operator]


def test_from_settings_without_values_returns_defaults() -> None:
    assert config() == Stash2PlexConfig()


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


def test_from_settings_trims_texts_and_url_slashes() -> None:
    found = config(plex_url=" http://plex:32400// ", plex_token=" t ", plex_library=" Films , , Clips,")
    assert (found.plex_url, found.plex_token) == ("http://plex:32400", "t")
    assert found.libraries == ["Films", "Clips"]
    assert config().libraries == []
    assert config(plex_token=12345).plex_token == "12345"


@pytest.mark.parametrize("url", ["plex:32400", "ftp://plex", "192.168.1.10:32400", "http://", "http://plex local"])
def test_from_settings_wrong_plex_url_is_a_problem(url: str) -> None:
    assert config(plex_url=url).problems == (
        f"Plex URL must be an address like http://192.168.1.10:32400, not {url!r}",
    )


@pytest.mark.parametrize("url", ["http://plex", "HTTPS://plex:32400/", "http://[fd00::1]:32400", "https://me.net/plex"])
def test_from_settings_accepts_valid_plex_urls(url: str) -> None:
    assert config(plex_url=url).problems == ()


def test_missing_names_all_settings_in_one_sentence() -> None:
    assert config(**FULL).missing() is None
    both, token = config().missing(), config(plex_url="http://x").missing()
    assert both is not None
    assert both.startswith("Stash2Plex is waiting for Plex URL and Plex token: fill in Settings > Plugins")
    assert token is not None
    assert "for Plex token:" in token
    wrong = config(**FULL, max_retries="x", enabled="perhaps").missing()
    assert wrong is not None
    assert "a wrong setting: Enabled must be on or off, not 'perhaps'; Maximum retries must be a whole number" in wrong


def test_config_never_shows_the_token() -> None:
    found = config(**FULL, max_retries="x")
    assert "secret" not in repr(found)
    assert "secret" not in str(found.missing())
    assert "secret" not in found.fingerprint()


@pytest.mark.parametrize("setting", TABLE, ids=names)
def test_fingerprint_changes_only_with_settings_that_shape_plex(setting: Setting) -> None:
    texts = {"title_format": "{studio} {title}", "collections": "performer", "collection_prefix": "studio=x"}
    text = texts.get(setting.name, "/other")
    other = {"STRING": text, "NUMBER": 1, "BOOLEAN": not setting.default}[setting.kind]
    changed = Stash2PlexConfig.from_settings({setting.name: other})
    assert changed != Stash2PlexConfig()
    assert not [problem for problem in changed.problems if setting.name != "plex_url"]
    assert (changed.fingerprint() != Stash2PlexConfig().fingerprint()) is setting.shapes_plex
    assert changed.fingerprint() == Stash2PlexConfig.from_settings({setting.name: other}).fingerprint()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
STORED = st.dictionaries(st.sampled_from(sorted(BY_NAME)) | st.text(max_size=5), JSON)


@given(STORED)
def test_from_settings_any_json_yields_usable_values(stored: dict[str, Any]) -> None:
    found = Stash2PlexConfig.from_settings(stored)
    for setting in TABLE:
        value = getattr(found, setting.name)
        if setting.kind == "NUMBER":
            assert setting.low <= value <= setting.high
            assert isinstance(value, int) or not setting.whole
        else:
            assert type(value) is type(setting.default)
    assert isinstance(found.missing(), (str, type(None)))
    assert len(found.fingerprint()) == 12


def test_from_settings_wrong_interval_warns_but_does_not_stop_writing() -> None:
    found = config(reconcile_interval="monthly", plex_url="http://x", plex_token="t")
    assert found.reconcile_interval == "never"
    assert found.missing() is None
    assert found.warnings == ("Reconcile interval: must be one of never, hourly, daily, weekly, not 'monthly'",)
