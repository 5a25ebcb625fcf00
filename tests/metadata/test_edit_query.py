"""A diff as requests: what a server decodes from them, and how long they are."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.diff import Change, Diff
from metadata.edit_query import MAX_FIELD_LENGTH, MAX_QUERY_LENGTH, edit_queries
from metadata.text import tag_key

pytestmark = pytest.mark.unit


def read(requests: list[str]) -> list[tuple[str, str]]:
    """Return the parameters of all requests in order, as a server decodes them."""
    return [pair for query in requests for pair in parse_qsl(query, keep_blank_values=True, strict_parsing=True)]


def tags_after(change: Change[list[str]], requests: list[str]) -> list[str]:
    """Return the list after the requests on a server that adds: removals are split at commas after the first decode."""
    names = list(change.old)
    for key, value in read(requests):
        if key == f"{change.field}[].tag.tag-":
            gone = [unquote(part) for part in value.split(",")]
            names = [name for name in names if name not in gone]
        elif key.startswith(f"{change.field}["):
            names += [value] if tag_key(value) not in {tag_key(name) for name in names} else []
    return names


def test_edit_queries_small_diff_is_one_locked_request() -> None:
    diff = Diff(
        [Change("title", "", "Ünï & Söhne = 100% + #1; a/b?"), Change("summary", "x", "")],
        [Change("genre", ["Old, one"], ["A, b"]), Change("actor", [], ["Zoë"])],
        Change("userRating", None, 5.5),
    )
    (query,) = edit_queries(diff)
    assert read([query]) == [
        ("title.value", "Ünï & Söhne = 100% + #1; a/b?"),
        ("title.locked", "1"),
        ("summary.value", ""),
        ("summary.locked", "1"),
        ("genre[].tag.tag-", "Old%2C%20one"),
        ("genre[0].tag.tag", "A, b"),
        ("genre.locked", "1"),
        ("actor[0].tag.tag", "Zoë"),
        ("actor.locked", "1"),
        ("userRating.value", "5.5"),
        ("userRating.locked", "1"),
    ]
    assert query.isascii()
    assert " " not in query


def test_edit_queries_send_complete_collections() -> None:
    diff = Diff(tags=[Change("collection", ["Mine, too", "Old"], ["Mine, too", "Atlas"])])
    assert read(edit_queries(diff)) == [
        ("collection[].tag.tag-", "Old"),
        ("collection[0].tag.tag", "Mine, too"),
        ("collection[1].tag.tag", "Atlas"),
        ("collection.locked", "1"),
    ]


def test_edit_queries_new_order_sends_the_list_again() -> None:
    assert read(edit_queries(Diff(tags=[Change("actor", ["Bea", "Ada"], ["Ada", "Bea"])]))) == [
        ("actor[0].tag.tag", "Ada"),
        ("actor[1].tag.tag", "Bea"),
        ("actor.locked", "1"),
    ]


def test_edit_queries_of_empty_diff_is_empty() -> None:
    assert edit_queries(Diff()) == []


@pytest.mark.parametrize(("rating", "sent"), [(0.0, "0.0"), (10.0, "10.0"), (0.1, "0.1"), (None, "")])
def test_edit_queries_set_or_clear_the_rating(rating: float | None, sent: str) -> None:
    assert read(edit_queries(Diff(rating=Change("userRating", 3.0, rating)))) == [
        ("userRating.value", sent),
        ("userRating.locked", "1"),
    ]


def test_edit_queries_empty_list_removes_all_names() -> None:
    assert read(edit_queries(Diff(tags=[Change("genre", ["a", "b,c"], [])]))) == [
        ("genre[].tag.tag-", "a,b%2Cc"),
        ("genre.locked", "1"),
    ]


def test_edit_queries_split_at_the_line_limit() -> None:
    diff = Diff([Change("title", "", "t" * 3000), Change("studio", "", "s" * 2000), Change("summary", "", "x" * 2500)])
    requests = edit_queries(diff)
    assert [len(request) <= MAX_QUERY_LENGTH for request in requests] == [True, True]
    assert [key for key, _ in read(requests)] == [
        f"{field}.{part}" for field in ("title", "studio", "summary") for part in ("value", "locked")
    ]


def test_edit_queries_respect_given_limit() -> None:
    diff = Diff([Change("title", "", "a"), Change("studio", "", "b")])
    assert len(edit_queries(diff)) == 1
    assert len(edit_queries(diff, limit=10)) == 2


def test_edit_queries_split_long_list_without_loss() -> None:
    change = Change("genre", [f"alt {n}" for n in range(300)], [f"日本 {n}, neu" for n in range(900)])
    requests = edit_queries(Diff(tags=[change]))
    assert len(requests) > 1
    assert all(len(request) < MAX_FIELD_LENGTH * 1.3 for request in requests)
    assert tags_after(change, requests) == change.new
    assert [request.count("genre.locked=1") for request in requests] == [1] * len(requests)
    indexes = [key for key, _ in read(requests) if key.endswith("].tag.tag")]
    assert indexes == [f"genre[{n}].tag.tag" for n in range(900)]


NAMES = st.lists(st.text(min_size=1, max_size=6), max_size=6, unique_by=tag_key)


@given(NAMES, NAMES)
def test_edit_queries_produce_the_desired_list(old: list[str], new: list[str]) -> None:
    change = Change("genre", old, new)
    after = tags_after(change, edit_queries(Diff(tags=[change])))
    assert {tag_key(name) for name in after} == {tag_key(name) for name in new}
    assert len(after) == len(new)


@given(
    st.dictionaries(st.sampled_from(["title", "summary", "studio", "tagline"]), st.text(max_size=80)),
    st.dictionaries(st.sampled_from(["genre", "actor"]), st.tuples(NAMES, NAMES)),
    st.integers(1, 400),
)
def test_edit_queries_send_each_value_once_at_any_limit(
    texts: dict[str, str], lists: dict[str, tuple[list[str], list[str]]], limit: int
) -> None:
    diff = Diff(
        [Change(field, "", text) for field, text in texts.items()],
        [Change(field, old, new) for field, (old, new) in lists.items()],
    )
    sent = read(edit_queries(diff, limit))
    assert {key: value for key, value in sent if key.endswith(".value")} == {
        f"{field}.value": text for field, text in texts.items()
    }
    for field, (_, new) in lists.items():
        values = {key: value for key, value in sent if key.startswith(f"{field}[") and key.endswith(".tag")}
        assert list(values.values()) == new
    assert {key for key, _ in sent if key.endswith(".locked")} == {f"{field}.locked" for field in [*texts, *lists]}
