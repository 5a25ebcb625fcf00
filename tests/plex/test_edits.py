"""A diff that was sent to Plex leaves no difference, under both readings of indexed tags (plex 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.scene import SceneData
from metadata.desired_state import DesiredState, desired_state, tag_key
from metadata.diff import ActualState, Diff, compute_diff
from metadata.edit_query import MAX_FIELD_LENGTH, MAX_QUERY_LENGTH, edit_queries
from plex.client import PlexClient
from plex.items import FullItem, read_items
from sandbox.plex import PlexSim
from sandbox.plex.model import Item, Tag
from sandbox.plex.model import Section as SimSection
from settings.config import Stash2PlexConfig

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured]

NASTY = "a,b&c%d/e'f\"g+h"
CONFIG = Stash2PlexConfig()


@pytest.fixture(params=[False, True], ids=["adding", "replacing"])
def plex(request: pytest.FixtureRequest) -> Iterator[PlexSim]:
    with PlexSim(replace_tags=request.param) as found:
        yield found


@pytest.fixture
def item(plex: PlexSim, scenes: SimSection) -> Item:
    """An item as a scan leaves it."""
    return plex.add_item(scenes, [("/data/file.mp4", 1, 1.0)])


def read(client: PlexClient, item: Item) -> FullItem:
    return read_items(client, [item.rating_key])[item.rating_key]


def actual(client: PlexClient, item: Item) -> ActualState:
    found = read(client, item)
    return ActualState(found.scalars, found.tags, found.rating)


def difference_of(client: PlexClient, item: Item, desired: DesiredState) -> Diff:
    return compute_diff(actual(client, item), desired, rating_is_ours=True)


def send(client: PlexClient, item: Item, desired: DesiredState) -> list[str]:
    """Send what differs and return the queries."""
    sent = edit_queries(difference_of(client, item, desired))
    for query in sent:
        client.edit(item.section.key, item.rating_key, query)
    return sent


def desired_for(**data: Any) -> DesiredState:
    return desired_state(cast(SceneData, data), CONFIG, "file")


def test_edit_of_all_fields_is_one_query_with_locks(client: PlexClient, item: Item) -> None:
    desired = desired_for(
        title="T & <co>", details=f"One\ntwo {NASTY} 日本語", studio=NASTY, date="2021-03", tagline="t", rating100=75,
        performers=["Ada", NASTY], tags=["x", NASTY],
    )  # fmt: skip
    [query] = send(client, item, desired)
    assert not difference_of(client, item, desired)
    assert (item.title, item.summary, item.studio) == ("T & <co>", f"One\ntwo {NASTY} 日本語", NASTY)
    assert (item.originally_available_at, item.tagline, item.user_rating) == ("2021-03-01", "t", 7.5)
    assert (item.tags("actor"), item.tags("genre")) == (["Ada", NASTY], ["x", NASTY])
    locks = {"title", "summary", "studio", "originallyAvailableAt", "tagline", "userRating", "actor", "genre"}
    locks |= {"collection"}
    assert item.locks == locks
    assert all(f"{name}.locked=1" in query for name in locks)


def test_edit_clears_all_fields(client: PlexClient, item: Item) -> None:
    send(
        client,
        item,
        desired_for(title="T", details="d", studio="s", date="2021", rating100=5, performers=[NASTY], tags=["x"]),
    )
    desired = desired_for(title="", details="", studio=None, date=None, rating100=None, performers=[], tags=[])
    assert len(send(client, item, desired)) == 1
    assert not difference_of(client, item, desired)
    assert (item.title, item.summary, item.studio, item.originally_available_at) == ("file", "", None, None)
    assert (item.user_rating, item.tags("actor"), item.tags("genre")) == (None, [], [])


def test_edit_leaves_undesired_fields_alone(client: PlexClient, item: Item) -> None:
    item.collections.append(Tag("Mine"))
    item.labels.append(Tag("Label"))
    item.genres.append(Tag("Genre"))
    item.summary = "Mine too"
    send(client, item, desired_for(title="New"))
    assert (item.tags("collection"), item.tags("label"), item.tags("genre")) == (["Mine"], ["Label"], ["Genre"])
    assert item.summary == "Mine too"
    assert item.locks == {"title"}


def test_edit_never_adds_and_removes_one_name(client: PlexClient, item: Item) -> None:
    item.genres.extend(Tag(name) for name in ("keep", "go", NASTY))
    [query] = send(client, item, desired_for(tags=["KEEP", "new"]))
    pairs = parse_qsl(query)
    added = [value for name, value in pairs if name.startswith("genre[") and name.endswith("tag.tag")]
    [removed] = [value for name, value in pairs if name == "genre[].tag.tag-"]
    assert added == ["KEEP", "new"]
    assert removed == f"go,{quote(NASTY, safe='')}"
    assert {tag_key(name) for name in item.tags("genre")} == {"keep", "new"}


# Noncharacters are left out: no XML document may hold them, so Plex cannot give them back.
_CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
_NAMES = st.one_of(
    st.sampled_from(
        ["", " ", "a", "A", NASTY, ",", "&", "%", "%2C", "+", "/", "'", '"', "a,b", "a%2Cb", "Zo\xeb", "Zoe\u0308",
         "ZOË", "straße", "STRASSE", "\U0001f469\u200d\U0001f680", "女優", "-", "[0]", "tag=1&id=2", "#", "?", "=", ";"]
    ),
    st.text(_CHARACTERS, max_size=12),
)  # fmt: skip
_LISTS = st.lists(_NAMES, max_size=8)
_TEXTS = st.text(_CHARACTERS, max_size=60)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    first=_LISTS,
    second=_LISTS,
    performers=_LISTS,
    texts=st.tuples(_TEXTS, _TEXTS, _TEXTS),
    rating=st.none() | st.integers(0, 100),
)
def test_diff_after_edit_is_empty(
    client: PlexClient, item: Item, first: list[str], second: list[str], performers: list[str],
    texts: tuple[str, str, str], rating: int | None,
) -> None:  # fmt: skip
    # The item is what the example before left: one more thing that must not matter.
    for tags, people in ((first, performers), (second, first)):
        desired = desired_for(
            tags=tags, performers=people, title=texts[0], details=texts[1], studio=texts[2], rating100=rating
        )
        send(client, item, desired)
        assert not difference_of(client, item, desired)
        assert {tag_key(name) for name in item.tags("genre")} == {tag_key(name) for name in desired.tags["genre"]}
        assert {tag_key(name) for name in item.tags("actor")} == {tag_key(name) for name in desired.tags["actor"]}
        assert (item.title, item.summary, item.studio or "") == (
            desired.scalars["title"], desired.scalars["summary"], desired.scalars["studio"],
        )  # fmt: skip
        assert item.user_rating == (None if rating is None else rating / 10)
        assert send(client, item, desired) == []


@pytest.mark.parametrize(
    "text", ["The quick brown fox. " * 950, "日本語の長い説明。" * 2_222], ids=["Latin", "Japanese"]
)
def test_edit_long_summary_is_cut_and_sent_alone(client: PlexClient, item: Item, text: str) -> None:
    desired = desired_for(title="T" * 100, details=text, tags=[f"tag {number}" for number in range(40)])
    sent = send(client, item, desired)
    assert not difference_of(client, item, desired)
    assert item.summary == desired.scalars["summary"]
    assert item.summary.endswith("\u2026")
    assert text.startswith(item.summary[:-1])
    assert len(quote(item.summary, safe="")) > 14_000
    assert desired.notes
    [alone] = [query for query in sent if "summary.value" in query]
    assert "title" not in alone
    assert "genre" not in alone
    assert len(alone) <= MAX_FIELD_LENGTH
    assert all(len(query) <= MAX_QUERY_LENGTH for query in sent if query is not alone)


def test_edit_adds_and_removes_three_hundred_tags(client: PlexClient, item: Item) -> None:
    names = [f"tag number {number}" for number in range(300)]
    desired = desired_for(title="T", details="d" * 3_000, tags=names)
    sent = send(client, item, desired)
    assert not difference_of(client, item, desired)
    assert item.tags("genre") == names
    assert all(len(query) <= MAX_FIELD_LENGTH for query in sent)
    fewer = desired_for(tags=names[::2])
    assert all(len(query) <= MAX_FIELD_LENGTH for query in send(client, item, fewer))
    assert item.tags("genre") == names[::2]
    none = desired_for(tags=[])
    assert all(len(query) <= MAX_FIELD_LENGTH for query in send(client, item, none))
    assert item.tags("genre") == []


def test_edit_combines_fields_that_fit_one_query(client: PlexClient, item: Item) -> None:
    desired = desired_for(
        title="T", details="d" * 2_000, tags=[f"tag {number}" for number in range(50)], performers=["Ada"]
    )
    assert len(send(client, item, desired)) == 1
    desired = desired_for(title="U", details="e" * 5_900, studio="S", performers=["Bea"])
    sent = send(client, item, desired)
    assert len(sent) == 2
    assert all(len(query) <= MAX_QUERY_LENGTH + 100 for query in sent)
    assert not difference_of(client, item, desired)


def test_edit_smallest_limit_splits_without_loss(client: PlexClient, item: Item) -> None:
    desired = desired_for(
        title="T", details="d", studio="S", date="2020", tags=["a", "b"], performers=["c"], rating100=80
    )
    found = difference_of(client, item, desired)
    sent = edit_queries(found, limit=1)
    assert len(sent) == 8
    for query in sent:
        client.edit(item.section.key, item.rating_key, query)
    assert not difference_of(client, item, desired)


def test_edit_without_difference_sends_nothing() -> None:
    assert edit_queries(Diff()) == []


JAPANESE = [f"とても長いタグの名前{number}" for number in range(300)]


def test_edit_adds_long_list_in_several_requests(plex: PlexSim, client: PlexClient, item: Item) -> None:
    desired = desired_for(tags=JAPANESE)
    sent = send(client, item, desired)
    assert len(sent) > 1
    assert all(len(query) <= MAX_FIELD_LENGTH + 100 for query in sent)
    if not plex.replace_tags:  # a server that replaces cannot be given such a list at all
        assert item.tags("genre") == JAPANESE


def test_edit_removes_long_list_in_several_requests(client: PlexClient, item: Item) -> None:
    item.genres.extend(Tag(name) for name in JAPANESE)
    sent = send(client, item, desired_for(tags=[]))
    assert item.tags("genre") == []
    assert all(len(query) <= MAX_FIELD_LENGTH + 100 for query in sent)
