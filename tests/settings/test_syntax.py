"""The parsers of settings that hold more than one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import syntax
from settings.config import Stash2PlexConfig
from settings.table import TABLE

pytestmark = pytest.mark.unit

READERS = {setting.name: setting for setting in TABLE if setting.parser is not None}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        (" , ", ()),
        ("studio", (("studio", ()),)),
        ("Studio ,PERFORMER", (("studio", ()), ("performer", ()))),
        ("tag(Solo)", (("tag", ("Solo",)),)),
        ("tag( A, b | c (d, e) |  | D/* ), organized", (("tag", ("A, b", "c (d, e)", "D/*")), ("organized", ()))),
        ("tag(a),tag(b)", (("tag", ("a",)), ("tag", ("b",)))),
        ("tag (a)", (("tag", ("a",)),)),
    ],
)  # fmt: skip
def test_parse_collections_returns_kinds_with_tag_rules(text: str, wanted: object) -> None:
    assert syntax.parse_collections(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        (" ; ", {}),
        ("studio=Studio: ; performer=Actor: ", {"studio": "Studio: ", "performer": "Actor: "}),
        ("studio=Studio:;performer=Actor:", {"studio": "Studio: ", "performer": "Actor: "}),
        ("Studio = S/ ;group=\u2605", {"studio": "S/ ", "group": "\u2605"}),
        ("tag=a=b ", {"tag": "a=b "}),
        ("studio=", {"studio": ""}),
    ],
)
def test_parse_prefixes_returns_prefix_by_kind(text: str, wanted: dict[str, str]) -> None:
    assert syntax.parse_prefixes(text) == wanted


ALLOWED = "{title}, {studio}, {performer}, {date}, {filename}, {code}"
KINDS = "studio, parent_studio, performer, group, tag, organized"


@pytest.mark.parametrize(
    ("name", "stored", "problem"),
    [
        ("title_format", "{titel}", f"Title format: unknown placeholder {{titel}} (known: {ALLOWED})"),
        ("title_format", "{Title}", f"Title format: unknown placeholder {{Title}} (known: {ALLOWED})"),
        ("title_format", "{title} {}", f"Title format: unknown placeholder {{}} (known: {ALLOWED})"),
        (
            "title_format",
            "{title} {studio",
            f"Title format: a brace is not closed or not opened (placeholders: {ALLOWED})",
        ),
        ("title_format", "{title}}", f"Title format: a brace is not closed or not opened (placeholders: {ALLOWED})"),
        ("title_format", "http://x", f"Title format: without one of {ALLOWED} every scene would have the same title"),
        ("collections", "studios", f"Collections: unknown kind 'studios' (known: {KINDS})"),
        ("collections", "studio performer", f"Collections: unknown kind 'studio performer' (known: {KINDS})"),
        ("collections", "tag", "Collections: tag needs names, like tag(Solo|Duo)"),
        ("collections", "tag( | )", "Collections: tag needs names, like tag(Solo|Duo)"),
        ("collections", "tag(a", "Collections: a parenthesis is not closed or not opened"),
        ("collections", "tag(a)), studio", "Collections: a parenthesis is not closed or not opened"),
        (
            "collections",
            "studio(Atlas)",
            "Collections: only tag takes names in parentheses, like tag(Solo|Duo), not 'studio(Atlas)'",
        ),
        (
            "collections",
            "tag(a) b",
            "Collections: only tag takes names in parentheses, like tag(Solo|Duo), not 'tag(a) b'",
        ),
        ("collection_prefix", "maker=x", f"Collection prefixes: unknown kind 'maker' (known: {KINDS})"),
        (
            "collection_prefix",
            "Studio: ",
            "Collection prefixes: write rules like studio=Studio: with semicolons between them, not 'Studio:'",
        ),
        (
            "exclude_paths",
            "/data/x, private",
            "Exclude paths: use whole paths like /data/private or patterns with *, not 'private'",
        ),
    ],
)
def test_from_settings_unparsable_text_is_a_problem_with_the_allowed_values(
    name: str, stored: str, problem: str
) -> None:
    found = Stash2PlexConfig.from_settings({name: stored})
    assert found.problems == (problem,)
    assert getattr(found, name) == READERS[name].default
    assert problem in str(found.write_blocker())


@pytest.mark.parametrize("text", ["/data", "C:\\Videos", "d:/x", "\\\\nas\\share", "*.trailer.mp4", "x?", ""])
def test_parse_paths_accepts_whole_paths_and_patterns(text: str) -> None:
    assert syntax.parse_paths(text) == ((text,) if text else ())


def test_config_properties_return_parsed_values() -> None:
    found = Stash2PlexConfig.from_settings(
        {
            "title_format": " {studio} - {title} ",
            "collections": "studio, tag(Series/*|Solo)",
            "collection_prefix": " studio=Studio - ",
            "ignore_tags": "a , , 12, b/*",
            "include_tags": "c/*",
            "exclude_tags": "d, a",
            "exclude_paths": "/x/, *.part.mp4",
        }
    )
    assert found.problems == ()
    assert found.title_format == "{studio} - {title}"
    assert found.collection_kinds == (("studio", ()), ("tag", ("Series/*", "Solo")))
    assert found.collection_prefixes == {"studio": "Studio - "}
    assert (found.ignored_tags, found.included_tags, found.excluded_tags) == (("a", "12", "b/*"), ("c/*",), ("d", "a"))
    assert found.excluded_paths == ("/x/", "*.part.mp4")
    assert found.tag_rules == {"a", "12", "b/*", "c/*", "d", "Series/*", "Solo"}


def test_config_defaults_create_studio_collections_only() -> None:
    found = Stash2PlexConfig()
    assert (found.collection_kinds, found.collection_prefixes, found.tag_rules) == ((("studio", ()),), {}, frozenset())
    assert (found.ignored_tags, found.included_tags, found.excluded_tags, found.excluded_paths) == ((), (), (), ())


@given(st.sampled_from(sorted(READERS)), st.text("{}(),;|=/* tilesudo", max_size=20))
def test_from_settings_any_text_is_parsed_or_a_short_problem(name: str, text: str) -> None:
    found = Stash2PlexConfig.from_settings({name: text})
    assert all(problem.startswith(READERS[name].title) and len(problem) < 250 for problem in found.problems)
    assert found.collection_kinds is not None
    assert found.collection_prefixes is not None
    assert found.excluded_paths is not None
