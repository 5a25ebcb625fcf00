"""Comparing paths, the rules of the path map, and the folders that proven pairs suggest."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.errors import UserFacingError
from common.media_paths import base_name, common_tail, ignores_case, is_windows, lookup_key, plain, same_name, same_path
from matching.path_map import BadPathRule, PathMap, PathRule, parse_path_map, prefix_pair

pytestmark = [pytest.mark.unit, pytest.mark.slow(seconds=7)]

words = st.text(st.characters(exclude_characters="/\\\x00", exclude_categories=["Cs"]), min_size=1, max_size=6)
folders = st.lists(words, max_size=4)
ROOTS = ["/data", "/data/a b", "D:\\Scenes", "E:", "\\\\nas\\share", "/Volumes/Media", "\\\\?\\D:\\Scenes", "/"]
roots = st.sampled_from(ROOTS)


def under(root: str, parts: list[str]) -> str:
    separator = "\\" if is_windows(root) else "/"
    return root.rstrip("\\/") + separator + separator.join(parts)


paths = st.builds(under, roots, st.builds(lambda more, name: [*more, name], folders, words))


@pytest.mark.parametrize(
    ("path", "windows", "blind"),
    [
        ("/data/a.mp4", False, False),
        ("D:\\a.mp4", True, True),
        ("d:/a.mp4", True, True),
        ("D:", True, True),
        ("\\\\nas\\s\\a.mp4", True, True),
        ("\\\\?\\D:\\a.mp4", True, True),
        ("/Volumes/M/a.mp4", False, True),
        ("/Users/ada/a.mp4", False, True),
        ("/volumes/a.mp4", False, False),
        ("/Volumes2/a.mp4", False, False),
        ("D:a.mp4", False, False),
        ("Dd:\\a.mp4", False, False),
        ("/D:\\a.mp4", False, False),
        ("//nas/s/a.mp4", False, False),
        ("", False, False),
    ],
)
def test_path_style_is_told_by_its_look(path: str, windows: bool, blind: bool) -> None:
    assert (is_windows(path), ignores_case(path)) == (windows, blind)


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [
        ("/data/a.mp4", "/data/a.mp4", "a.mp4"),
        ("/data/Zoe\u0308.mp4", "/data/Zo\xeb.mp4", "Zo\xeb.mp4"),
        ("D:\\S\\a.mp4", "D:/S/a.mp4", "a.mp4"),
        ("D:/S\\a.mp4", "D:/S/a.mp4", "a.mp4"),
        ("\\\\?\\D:\\S\\a.mp4", "D:/S/a.mp4", "a.mp4"),
        ("\\\\nas\\s\\a.mp4", "//nas/s/a.mp4", "a.mp4"),
        ("\\\\?\\UNC\\nas\\s\\a.mp4", "//nas/s/a.mp4", "a.mp4"),
        ("\\\\?\\unc\\nas\\s\\a.mp4", "//nas/s/a.mp4", "a.mp4"),
        ("\\\\?\\Volume{1-2}\\a.mp4", "Volume{1-2}/a.mp4", "a.mp4"),
        ("/data/a\\b.mp4", "/data/a\\b.mp4", "a\\b.mp4"),
        ("/data/ a .mp4 ", "/data/ a .mp4 ", " a .mp4 "),
        ("a.mp4", "a.mp4", "a.mp4"),
        ("/data/", "/data/", ""),
        ("", "", ""),
    ],
)
def test_plain_and_base_name_of_a_path(path: str, form: str, name: str) -> None:
    assert (plain(path), base_name(path)) == (form, name)


@given(paths)
def test_plain_is_stable_and_composed(path: str) -> None:
    assert plain(plain(path)) == plain(path)
    assert unicodedata.is_normalized("NFC", plain(path))
    assert same_path(path, path)
    assert same_path(plain(path), path)
    assert same_name(path, path)


@pytest.mark.parametrize(
    ("mapped", "in_plex", "same"),
    [
        ("/data/a.mp4", "/data/a.mp4", True),
        ("/data/a.mp4", "/data/A.mp4", False),
        ("/data/a.mp4", "/data/a.mp4 ", False),
        ("/data/a.mp4", "/data2/a.mp4", False),
        ("/data/Zoe\u0308.mp4", "/data/Zo\xeb.mp4", True),
        ("/data/Zo\xeb.mp4", "/data/Zoe\u0308.mp4", True),
        ("d:/s/A.mp4", "D:\\S\\a.mp4", True),
        ("D:\\S\\a.mp4", "\\\\?\\D:\\S\\a.mp4", True),
        ("\\\\NAS\\s\\a.mp4", "\\\\?\\UNC\\nas\\S\\a.mp4", True),
        ("//nas/s/a.mp4", "\\\\nas\\s\\a.mp4", True),
        ("/volumes/m/A.mp4", "/Volumes/M/a.mp4", True),
        ("/Volumes/M/a.mp4", "/volumes/m/a.mp4", False),
        ("D:\\S\\a.mp4", "E:\\S\\a.mp4", False),
        ("/data/a\\b.mp4", "/data/a/b.mp4", False),
        ("/STRASSE.mp4", "/straße.mp4", False),
        ("/Users/STRASSE.mp4", "/Users/straße.mp4", True),
    ],
)
def test_same_path_ignores_case_as_the_path_in_plex_does(mapped: str, in_plex: str, same: bool) -> None:
    assert same_path(mapped, in_plex) is same


@pytest.mark.parametrize(
    ("path", "in_plex", "same"),
    [
        ("/data/x/a.mp4", "/media/a.mp4", True),
        ("D:\\S\\a.mp4", "/media/a.mp4", True),
        ("/data/a.mp4", "D:\\S\\A.MP4", True),
        ("/data/A.mp4", "/media/a.mp4", False),
        ("D:\\S\\A.mp4", "/media/a.mp4", False),
        ("/data/a.mp4", "/media/a.mp4.mp4", False),
        ("/data/Zoe\u0308", "/media/Zo\xeb", True),
    ],
)
def test_same_name_ignores_folders(path: str, in_plex: str, same: bool) -> None:
    assert same_name(path, in_plex) is same


@given(st.one_of(paths, st.text()), st.one_of(paths, st.text()))
def test_lookup_key_of_equal_paths_is_equal(one: str, other: str) -> None:
    if same_path(one, other):
        assert lookup_key(one) == lookup_key(other)
        assert same_name(one, other)
    if same_name(one, other):
        assert lookup_key(base_name(one)) == lookup_key(base_name(other))


@given(paths, st.sampled_from(["NFC", "NFD"]), st.booleans())
def test_lookup_key_of_another_spelling_is_equal(path: str, form: Any, swapped: bool) -> None:
    spelt = unicodedata.normalize(form, path.swapcase() if swapped else path)
    if same_path(spelt, path):
        assert lookup_key(spelt) == lookup_key(path)


@pytest.mark.parametrize(
    ("path", "in_plex", "shared"),
    [
        ("/data/s/x/a.mp4", "/media/s/x/a.mp4", 3),
        ("/data/s/x/a.mp4", "/media/S/x/a.mp4", 2),
        ("/data/s/x/a.mp4", "E:\\M\\S\\X\\A.mp4", 3),
        ("D:\\s\\a.mp4", "/media/s/a.mp4", 2),
        ("/data/a.mp4", "/data/a.mp4", 2),
        ("/a.mp4", "/a.mp4", 1),
        ("/data/a.mp4", "/mnt/data/a.mp4", 2),
        ("/data/a.mp4", "/data/b.mp4", 0),
        ("/data/", "/data/", 0),
        ("", "", 0),
    ],
)
def test_common_tail_counts_from_the_name(path: str, in_plex: str, shared: int) -> None:
    assert common_tail(path, in_plex) == shared


@pytest.mark.parametrize(
    ("rule", "path", "mapped"),
    [
        (PathRule("/data", "/media"), "/data/s/a.mp4", "/media/s/a.mp4"),
        (PathRule("/data/", "/media/"), "/data/s/a.mp4", "/media/s/a.mp4"),
        (PathRule("/data", "/media"), "/data2/a.mp4", None),
        (PathRule("/data", "/media"), "/dat/a.mp4", None),
        (PathRule("/data", "/media"), "/Data/a.mp4", None),
        (PathRule("/data", "/media"), "/x/data/a.mp4", None),
        (PathRule("/data", "/media"), "/data", None),
        (PathRule("/data", "/media"), "/data/", None),
        (PathRule("/", "/mnt"), "/a/b.mp4", "/mnt/a/b.mp4"),
        (PathRule("/data", "/"), "/data/a.mp4", "/a.mp4"),
        (PathRule("/Zoe\u0308", "/media"), "/Zo\xeb/a.mp4", "/media/a.mp4"),
        (PathRule("D:\\S", "/media"), "D:\\S\\x\\a.mp4", "/media/x/a.mp4"),
        (PathRule("D:\\S", "/media"), "d:/s/X/a.mp4", "/media/X/a.mp4"),
        (PathRule("D:\\S", "/media"), "\\\\?\\D:\\S\\a.mp4", "/media/a.mp4"),
        (PathRule("D:\\S", "/media"), "D:\\S2\\a.mp4", None),
        (PathRule("D:", "/media"), "D:\\a.mp4", "/media/a.mp4"),
        (PathRule("D:\\", "/media"), "D:\\a.mp4", "/media/a.mp4"),
        (PathRule("/data", "E:"), "/data/x/a.mp4", "E:\\x\\a.mp4"),
        (PathRule("/data", "E:\\M\\"), "/data/x/a.mp4", "E:\\M\\x\\a.mp4"),
        (PathRule("/data", "\\\\nas\\m"), "/data/x/a.mp4", "\\\\nas\\m\\x\\a.mp4"),
        (PathRule("\\\\nas\\s", "/m"), "\\\\?\\UNC\\NAS\\s\\a.mp4", "/m/a.mp4"),
        (PathRule("//nas/s", "/m"), "\\\\NAS\\s\\a.mp4", "/m/a.mp4"),
        (PathRule("/volumes/m", "/media"), "/Volumes/M/A.mp4", "/media/A.mp4"),
        (PathRule("/data", "/media"), "/data/a\\b.mp4", "/media/a\\b.mp4"),
        (PathRule("/data", "/media"), "", None),
    ],
)
def test_path_rule_maps_whole_components(rule: PathRule, path: str, mapped: str | None) -> None:
    assert rule.apply(path) == mapped


@given(roots, roots, folders, words)
def test_path_rule_reversed_returns_the_original_path(here: str, there: str, more: list[str], name: str) -> None:
    path = under(here, [*more, name])
    rules = PathMap((PathRule(here, there),))
    mapped = rules.to_plex(path)
    assert same_path(mapped, under(there, [*more, name]))
    assert same_path(rules.reversed().to_plex(mapped), path)


@given(paths)
def test_path_map_without_a_matching_rule_changes_nothing(path: str) -> None:
    assert PathMap().to_plex(path) == path
    rules = PathMap((PathRule("/nowhere/at all", "/media"),))
    assert rules.to_plex(path) == path
    assert rules.unused() == list(rules.rules)


def test_path_map_applies_and_counts_the_first_matching_rule() -> None:
    rules = parse_path_map("/data/a => /first; /data => /second; /data/b => /never; /x => /y")
    assert [rules.to_plex(path) for path in ("/data/a/1", "/data/b/2", "/data/c/3", "/other/4")] == [
        "/first/1",
        "/second/b/2",
        "/second/c/3",
        "/other/4",
    ]
    assert rules.hits == {rules.rules[0]: 1, rules.rules[1]: 2}
    assert rules.unused() == [PathRule("/data/b", "/never"), PathRule("/x", "/y")]


def test_path_map_equality_ignores_hits() -> None:
    used, unused = parse_path_map("/data => /media"), parse_path_map("/data => /media")
    used.to_plex("/data/a")
    assert used == unused
    assert hash(used) == hash(unused)
    assert used.reversed().hits == {}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        (" ; \n ;", []),
        ("/data => /media", [("/data", "/media")]),
        ("/data=>/media", [("/data", "/media")]),
        ("/data => /media;", [("/data", "/media")]),
        ("/data => /media; D:\\Scenes => /mnt/scenes", [("/data", "/media"), ("D:\\Scenes", "/mnt/scenes")]),
        ("/data => /media\n\\\\nas\\s => E:", [("/data", "/media"), ("\\\\nas\\s", "E:")]),
        ("/data => /media\r\n/b => /c", [("/data", "/media"), ("/b", "/c")]),
        ("/with space => /a = b", [("/with space", "/a = b")]),
    ],
)
def test_parse_path_map_keeps_the_order(text: str, rules: list[tuple[str, str]]) -> None:
    assert [(rule.stash_folder, rule.plex_folder) for rule in parse_path_map(text).rules] == rules


@pytest.mark.parametrize(
    "text",
    [
        "/data",
        "/data -> /media",
        "/data = /media",
        "/data =>",
        "=> /media",
        "=>",
        "data => /media",
        "/data => media",
        "/data => ./media",
        "C:data => /media",
        "/data => /media /b => /c",
        '"/data" => "/media"',
    ],
)
@pytest.mark.parametrize("before", ["", "/fine => /fine; "])
def test_parse_path_map_with_a_bad_rule_names_it(text: str, before: str) -> None:
    with pytest.raises(BadPathRule, match="is not a rule: write it like /data => /media") as caught:
        parse_path_map(before + text)
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, UserFacingError)


@given(st.lists(st.tuples(roots, roots), max_size=4))
def test_path_rule_as_text_can_be_parsed_again(pairs: list[tuple[str, str]]) -> None:
    rules = tuple(PathRule(*pair) for pair in pairs)
    assert parse_path_map("; ".join(map(str, rules))).rules == rules


@pytest.mark.parametrize(
    ("path", "in_plex", "pair"),
    [
        ("/data/s/a.mp4", "/media/s/a.mp4", ("/data", "/media")),
        ("/data/s/a.mp4", "/media/t/a.mp4", ("/data/s", "/media/t")),
        ("/data/a.mp4", "/mnt/data/a.mp4", ("/", "/mnt")),
        ("/mnt/data/a.mp4", "/data/a.mp4", ("/mnt", "/")),
        ("D:\\S\\x\\a.mp4", "/srv/x/a.mp4", ("D:/S", "/srv")),
        ("D:\\x\\a.mp4", "/srv/x/a.mp4", ("D:", "/srv")),
        ("/data/x/a.mp4", "E:\\M\\X\\a.mp4", ("/data", "E:/M")),
        ("\\\\nas\\s\\a.mp4", "/srv/a.mp4", ("//nas/s", "/srv")),
        ("/data/a.mp4", "/data/a.mp4", None),
        ("D:\\S\\a.mp4", "d:\\s\\A.mp4", None),
        ("/data/a.mp4", "/data/b.mp4", None),
        ("/nas/s/a.mp4", "\\\\nas\\s\\a.mp4", None),
    ],
)
def test_prefix_pair_of_a_proven_pair(path: str, in_plex: str, pair: tuple[str, str] | None) -> None:
    assert prefix_pair(path, in_plex) == pair


@given(roots, roots, folders, words)
def test_prefix_pair_works_as_a_path_rule(here: str, there: str, more: list[str], name: str) -> None:
    path, in_plex = under(here, [*more, name]), under(there, [*more, name])
    pair = prefix_pair(path, in_plex)
    if pair is None:
        return
    # As shown and pasted; spaces at the ends and the two signs of the setting cannot be written there.
    assume(not any(sign in one for one in pair for sign in (";", "\n", "=>")) and pair == tuple(map(str.strip, pair)))
    rules = parse_path_map(f"{pair[0]} => {pair[1]}")
    assert same_path(rules.to_plex(path), in_plex)
