"""The settings in force."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.config import Stash2PlexConfig
from settings.table import BY_NAME, TABLE, Setting

pytestmark = pytest.mark.unit

FULL = {"plex_url": "http://plex:32400", "plex_token": "secret"}


def config(**stored: Any) -> Stash2PlexConfig:
    """Return the settings in force."""
    return Stash2PlexConfig.from_settings(stored)


def names(setting: Setting) -> str:
    return setting.name


def test_from_settings_without_values_returns_defaults() -> None:
    assert config() == Stash2PlexConfig()


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


def test_write_blocker_names_all_settings_in_one_sentence() -> None:
    assert config(**FULL).write_blocker() is None
    both, token = config().write_blocker(), config(plex_url="http://x").write_blocker()
    assert both is not None
    assert both.startswith("Stash2Plex is waiting for Plex URL and Plex token: fill in Settings > Plugins")
    assert token is not None
    assert "for Plex token:" in token
    wrong = config(**FULL, max_retries="x", enabled="perhaps").write_blocker()
    assert wrong is not None
    assert "a wrong setting: Enabled must be on or off, not 'perhaps'; Maximum retries must be a whole number" in wrong


def test_config_never_shows_the_token() -> None:
    found = config(**FULL, max_retries="x")
    assert "secret" not in repr(found)
    assert "secret" not in str(found.write_blocker())
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
    assert isinstance(found.write_blocker(), (str, type(None)))
    assert len(found.fingerprint()) == 12


def test_from_settings_wrong_interval_warns_but_does_not_stop_writing() -> None:
    found = config(reconcile_interval="monthly", plex_url="http://x", plex_token="t")
    assert found.reconcile_interval == "never"
    assert found.write_blocker() is None
    assert found.warnings == ("Reconcile interval: must be one of never, hourly, daily, weekly, not 'monthly'",)
