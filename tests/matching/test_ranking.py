"""Properties of every ranking, and the reasons of each candidate."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.scene import SceneFile
from matching.path_map import PathMap, PathRule, parse_path_map
from matching.proof import Candidate, Evidence
from matching.ranking import Match, MatchConfidence, bytes_as_text, rank
from plex.items import Part
from tests.matching.traps import TRAPS, Trap, file, item, part

pytestmark = [pytest.mark.integration, pytest.mark.unmeasured, pytest.mark.slow(seconds=16)]

# Few words, so that paths, names and sizes meet all the time; what meets in nothing teaches nothing.
NAMES = ["a.mp4", "A.mp4", "b.mp4", "Zo\xeb.mp4", "Zoe\u0308.mp4", "a%b .mp4"]
FOLDERS = ["/data", "/data/x", "/data2", "/media/x", "/Volumes/M", "/volumes/m", "D:\\S", "d:\\s", "\\\\?\\D:\\S"]
MAPS = ["", "/data => /media", "/data => /Volumes/M; /data2 => D:\\S", "D:\\S => /data", "/data/x => /media/x"]


def joined(folder: str, name: str) -> str:
    return f"{folder}\\{name}" if "\\" in folder else f"{folder}/{name}"


paths = st.builds(joined, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
sizes = st.sampled_from([None, 0, 5, 7])
durations = st.sampled_from([None, 10.0, 11.0, 99.0])
scene_files = st.lists(st.builds(SceneFile, paths, sizes, durations), max_size=3)
parts = st.lists(st.builds(Part, paths, sizes, durations), max_size=3).map(tuple)
# Few numbers, so that one item comes up twice, differently: an index may be older than a look-up.
candidate_lists = st.lists(
    st.builds(Candidate, st.integers(1, 6), st.integers(1, 2), parts, st.sampled_from("TU"), st.booleans()), max_size=6
)
path_maps = st.sampled_from(MAPS)
learneds = st.dictionaries(
    st.tuples(st.sampled_from(["/data", "D:/S"]), st.sampled_from(["/media", "/Volumes/M", "D:/S"])), st.integers(1, 9)
)


@given(scene_files, candidate_lists, path_maps, learneds, st.randoms())
def test_rank_does_not_depend_on_the_order_of_candidates(
    files: list[SceneFile],
    candidates: list[Candidate],
    rules: str,
    learned: dict[tuple[str, str], int],
    random: Random,
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)
    path_map = parse_path_map(rules)
    assert rank(files, shuffled, path_map, learned) == rank(files, candidates, path_map, learned)


@given(scene_files, candidate_lists, path_maps, sizes, durations)
def test_rank_ignores_unrelated_items(
    files: list[SceneFile], candidates: list[Candidate], rules: str, size: int | None, duration: float | None
) -> None:
    strangers = [
        Candidate(100, 1, (Part("/data/stranger.mp4", size, duration), Part("D:\\S\\ab.mp4", size, duration))),
        Candidate(0, 1, ()),
    ]
    path_map = parse_path_map(rules)
    assert rank(files, [*strangers, *candidates], path_map) == rank(files, candidates, path_map)


@given(scene_files, candidate_lists, path_maps)
def test_rank_with_a_learned_mapping_has_the_same_proofs(
    files: list[SceneFile], candidates: list[Candidate], rules: str
) -> None:
    path_map = parse_path_map(rules)
    plainly = rank(files, candidates, path_map)
    learned = rank(files, candidates, path_map, {("/data", "/media"): 9, ("/data", "/Volumes/M"): 5})
    assert (plainly is None) == (learned is None)
    if plainly is not None and learned is not None:
        assert plainly.confidence is learned.confidence
        if plainly.confidence is MatchConfidence.HIGH:
            assert numbers(plainly) == numbers(learned)


@given(scene_files, candidate_lists, path_maps)
def test_rank_high_always_has_a_proof(files: list[SceneFile], candidates: list[Candidate], rules: str) -> None:
    path_map = parse_path_map(rules)
    match = rank(files, candidates, path_map)
    if match is None or match.confidence is not MatchConfidence.HIGH:
        return
    assert match.chosen
    for one in match.chosen:
        assert one.candidate in candidates
        assert not one.candidate.trashed
        assert one.part in one.candidate.parts
        assert one.file in files
        mapped = path_map.to_plex(one.file.path)
        if folded(mapped, one.part.path) == folded(one.part.path, one.part.path):
            continue
        # No path proves it, so name and size do: every other file with both is at the same place.
        assert is_twin(one.file, one.part)
        places = {
            frozenset(
                folded(found.path, found.path)
                for each in candidates
                if each.rating_key == key and not each.trashed
                for found in each.parts
                if is_twin(one.file, found)
            )
            for key in {each.rating_key for each in candidates}
        }
        assert len(places - {frozenset()}) == 1


def is_twin(file: SceneFile, part: Part) -> bool:
    """Return whether name and size are equal, written independently of the product."""
    here, there = (folded(path, part.path).split("/")[-1] for path in (file.path, part.path))
    return here == there and bool(file.size) and file.size == part.size


def folded(path: str, in_plex: str) -> str:
    """Return a path normalised as the system behind ``in_plex`` reads it, written independently of the product."""
    path = unicodedata.normalize("NFC", path).replace("\\\\?\\", "").replace("\\", "/")
    blind = "\\" in in_plex or in_plex.startswith(("/Volumes/", "/Users/"))
    return path.lower() if blind else path


@given(scene_files, candidate_lists, path_maps)
def test_rank_chooses_the_only_item_at_the_mapped_path(
    files: list[SceneFile], candidates: list[Candidate], rules: str
) -> None:
    path_map = parse_path_map(rules)
    match = rank(files, candidates, path_map)
    for one in files:
        mapped = path_map.to_plex(one.path)
        holders = {
            candidate.rating_key
            for candidate in candidates
            if not candidate.trashed
            and any(folded(mapped, found.path) == folded(found.path, found.path) for found in candidate.parts)
        }
        if len(holders) == 1 and len({part.path for each in candidates for part in each.parts}) == 1:
            assert match is not None
            assert match.confidence is MatchConfidence.HIGH
            assert holders <= set(numbers(match))


@given(scene_files, candidate_lists, path_maps)
def test_rank_lists_each_item_once_and_the_chosen_first(
    files: list[SceneFile], candidates: list[Candidate], rules: str
) -> None:
    match = rank(files, candidates, parse_path_map(rules))
    if match is None:
        return
    ranked = [one.candidate.rating_key for one in match.ranked]
    assert len(set(ranked)) == len(ranked)
    assert match.ranked[: len(match.chosen)] == match.chosen
    assert match.reason
    assert all(one.reasons and all(one.reasons) for one in match.ranked)
    if match.confidence is MatchConfidence.LOW:
        assert len(match.chosen) == (0 if all(one.candidate.trashed for one in match.ranked) else 1)
    trash = [one.candidate.trashed for one in match.ranked]
    assert trash == sorted(trash)


@given(scene_files, candidate_lists, path_maps)
def test_rank_proof_does_not_depend_on_other_candidates(
    files: list[SceneFile], candidates: list[Candidate], rules: str
) -> None:
    path_map = parse_path_map(rules)
    match = rank(files, candidates, path_map)
    if match is None or match.confidence is not MatchConfidence.HIGH:
        return
    chosen = set(numbers(match))
    alone = rank(files, [one for one in candidates if one.rating_key in chosen], path_map)
    assert alone is not None
    assert alone.confidence is MatchConfidence.HIGH
    assert set(numbers(alone)) == chosen


@given(st.sampled_from(TRAPS), st.integers(2, 5))
def test_rank_with_duplicate_candidates_has_the_same_result(trap: Trap, times: int) -> None:
    files, items, rules = trap.files, trap.items, parse_path_map(trap.path_map)
    assert rank(files, items * times, rules) == rank(files, items, rules)


@given(st.lists(st.sampled_from(["Studio", "a b", "100%", "Zo\xeb", "x#y", "..."]), min_size=1))
def test_rank_by_path_map_is_high_on_every_system(folders: list[str]) -> None:
    for here, there in [("/data", "/media"), ("/data", "D:\\M"), ("D:\\S", "/media"), ("\\\\nas\\s", "\\\\?\\E:\\M")]:
        in_stash = SceneFile(("\\" if "\\" in here else "/").join([here, *folders]))
        in_plex = Part(("\\" if "\\" in there else "/").join([there, *folders]))
        there_and_back = PathMap((PathRule(here, there),))
        match = rank([in_stash], [Candidate(1, 1, (in_plex,))], there_and_back)
        assert match is not None
        assert match.confidence is MatchConfidence.HIGH
        back = rank([SceneFile(in_plex.path)], [Candidate(1, 1, (Part(in_stash.path),))], there_and_back.reversed())
        assert back is not None
        assert back.confidence is MatchConfidence.HIGH


def numbers(match: Match) -> list[int]:
    return [one.candidate.rating_key for one in match.chosen]


def judged(*candidates: Candidate, of: SceneFile | None = None, rules: str = "") -> Match:
    match = rank([of or file("/data/s/x/a.mp4")], candidates, parse_path_map(rules), {("/data", "/media"): 1204})
    assert match is not None
    return match


@pytest.mark.parametrize(
    ("found", "rules", "reasons"),
    [
        (part("/data/s/x/a.mp4"), "", ["same path, same size"]),
        (part("/data/s/x/a.mp4", None), "", ["same path"]),
        (part("/data/s/x/a.mp4", 1_200_000_000), "", ["same path, different size (700 MB in Stash, 1.2 GB in Plex)"]),
        (part("/m/s/x/a.mp4"), "/data => /m", ["same path by Path map, same size"]),
        (part("/m/a.mp4"), "", ["same name, same size, different folder"]),
        (part("/m/a.mp4"), "/data => /n", ["same name, same size, not where Path map expects it"]),
        (part("/m/a.mp4", None), "", ["same name, size unknown, different folder"]),
        (part("/m/a.mp4", 700_000_001), "", [
            "same name, different size (700,000,000 bytes in Stash, 700,000,001 bytes in Plex), different folder",
        ]),
        (part("/m/x/a.mp4"), "", ["same name, same size, different folder", "same last folder"]),
        (part("/m/s/x/a.mp4"), "", ["same name, same size, different folder", "same last 2 folders"]),
        (part("/media/s/x/a.mp4"), "", [
            "same name, same size, different folder", "same last 2 folders", "fits the learned mapping /data -> /media",
        ]),
        (part("/m/a.mp4", duration=1801.9), "", ["same name, same size, different folder"]),
        (part("/m/a.mp4", duration=1893.2), "", ["same name, same size, different folder", "duration differs by 93 s"]),
        (part("/m/a.mp4", duration=None), "", ["same name, same size, different folder"]),
    ],
)  # fmt: skip
def test_candidate_reasons_name_what_is_equal_and_what_differs(found: Part, rules: str, reasons: list[str]) -> None:
    assert list(judged(item(1, found), rules=rules).ranked[0].reasons) == reasons


def test_reason_names_the_trash() -> None:
    match = judged(item(1, part("/data/s/x/a.mp4"), trashed=True))
    assert match.ranked[0].reasons == ("same path, same size", "in Plex's trash")
    assert match.reason == "only an item in Plex's trash matches: Plex no longer finds its file"
    assert match.chosen == ()


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([part("/data/s/x/a.mp4")], "same path, same size"),
        ([part("/m/a.mp4")], "same name, same size, different folder, and no other item has both"),
        ([part("/data/s/x/a.mp4")] * 2, "2 items have the scene's files: same path, same size"),
        ([part("/m/a.mp4"), part("/n/a.mp4")], "2 items have the file's name and size, in different folders"),
        (
            [part("/m/a.mp4", None)],
            "1 item has the file's name, but not its size: same name, size unknown, different folder",
        ),
        (
            [part("/m/a.mp4", 5), part("/m/x/a.mp4", 5)],
            "2 items have the file's name, but not its size: "
            "same name, different size (700 MB in Stash, 5 bytes in Plex), different folder; same last folder",
        ),
    ],
)
def test_match_reason_says_why(found: list[Part], reason: str) -> None:
    assert judged(*(item(key, one) for key, one in enumerate(found, 1))).reason == reason


def test_match_reason_names_a_difference_in_letter_case() -> None:
    spelt = [item(1, part("/Volumes/M/a.mp4", 5)), item(2, part("/Volumes/M/A.mp4", 6))]
    match = judged(*spelt, of=file("/Volumes/m/a.mp4", 7))
    assert match.confidence is MatchConfidence.LOW
    assert match.reason == "2 items have the file's path and differ only in letter case"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (item(9, part("/m/a.mp4", 5)), item(1, part("/data/s/x/a.mp4"), trashed=True)),
        (item(9, part("/media/s/x/a.mp4", 5)), item(1, part("/m/s/x/a.mp4", 5))),
        (item(9, part("/m/x/a.mp4", 5)), item(1, part("/m/a.mp4", 5))),
        (item(9, part("/m/a.mp4", 5, 1801.0)), item(1, part("/m/a.mp4", 5, None))),
        (item(9, part("/m/a.mp4", 5, None)), item(1, part("/m/a.mp4", 5, 1803.0))),
        (item(9, part("/m/a.mp4", 5, 1803.0)), item(1, part("/m/a.mp4", 5, 1804.0))),
        (item(9, part("/m/a.mp4", None)), item(1, part("/m/a.mp4", 5))),
        (item(9, part("/m/a.mp4", 5), section=1), item(1, part("/m/a.mp4", 5), section=2)),
        (item(1, part("/m/b/a.mp4", 5)), item(9, part("/m/a/a.mp4", 5))),
    ],
    ids=["trash", "learned", "tail", "duration", "duration unknown", "duration nearer", "size", "library", "number"],
)
def test_rank_puts_the_better_candidate_first(better: Candidate, worse: Candidate) -> None:
    match = judged(worse, better)
    assert match.confidence is MatchConfidence.LOW
    assert [one.candidate for one in match.ranked] == [better, worse]
    assert [one.candidate for one in match.chosen] == [better]


def test_ranked_item_shows_its_best_pair_of_files() -> None:
    files = [file("/data/a.mp4"), file("/data/b.mp4", 5)]
    found = item(1, part("/m/a.mp4", 9), part("/m/b.mp4", 5))
    match = rank(files, [found])
    assert match is not None
    (one,) = match.chosen
    assert (one.file, one.part, one.evidence) == (files[1], found.parts[1], Evidence.NAME_AND_SIZE)


def test_ranked_item_shows_its_proof_before_a_better_looking_pair() -> None:
    # a.mp4 is ambiguous although its tail is longer; b.mp4 proves the first item.
    files = [file("/data/x/a.mp4"), file("/data/b.mp4", 5)]
    found = item(1, part("/m/x/a.mp4"), part("/m/b.mp4", 5))
    match = rank(files, [found, item(2, part("/n/x/a.mp4"))])
    assert match is not None
    assert [(one.candidate.rating_key, one.file) for one in match.ranked] == [(1, files[1]), (2, files[0])]


def test_rank_maps_every_file_once() -> None:
    rules = parse_path_map("/data => /media; /never => /x")
    rank([file("/data/a.mp4"), file("/data/b.mp4")], [item(key, part("/m/a.mp4")) for key in range(9)], rules)
    assert rules.hits == {rules.rules[0]: 2}
    assert [str(rule) for rule in rules.unused()] == ["/never => /x"]


@pytest.mark.parametrize("path", ["", "/", "/data/"])
def test_rank_of_a_path_without_a_name_is_none(path: str) -> None:
    assert rank([SceneFile(path, 5)], [Candidate(1, 1, (Part(path, 5), Part("/media/", 5)))]) is None


def test_evidence_is_ordered_by_strength() -> None:
    assert list(Evidence) == [Evidence.PATH, Evidence.NAME_AND_SIZE, Evidence.NAME]
    best = item(1, part("/data/s/x/a.mp4", 1))
    match = judged(item(3, part("/m/s/x/a.mp4", 1)), item(2, part("/m/s/x/a.mp4")), best)
    assert [one.evidence for one in match.ranked] == list(Evidence)
    assert match.chosen == match.ranked[:1]


def test_rank_puts_name_and_size_before_a_name_with_better_hints() -> None:
    twins = [item(2, part("/m/a.mp4")), item(3, part("/n/a.mp4"))]
    match = judged(item(1, part("/media/s/x/a.mp4", 5)), *twins)
    assert [one.candidate.rating_key for one in match.ranked] == [2, 3, 1]


def test_rank_of_equal_candidates_puts_the_primary_file_first() -> None:
    files = [file("/data/b.mp4", 5), file("/data/a.mp4", 5)]
    match = rank(files, [item(1, part("/m/a.mp4", 6)), item(2, part("/m/b.mp4", 6))])
    assert match is not None
    assert [one.candidate.rating_key for one in match.ranked] == [2, 1]


def test_rank_orders_chosen_items_by_library() -> None:
    here, there = item(8, part("/data/s/x/a.mp4", duration=99.0)), item(3, part("/data/s/x/a.mp4"), section=2)
    assert numbers(judged(there, here)) == [8, 3]


def test_rank_of_an_item_found_twice_does_not_depend_on_the_order() -> None:
    before, now = item(1, part("/m/a.mp4")), item(1, part("/m/a.mp4"), part("/m/b.mp4"))
    assert judged(before, now) == judged(now, before)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (700_000_000, "700 MB"),
        (999_999_999, "1000 MB"),
        (1_000_000_000, "1.0 GB"),
        (1_234_567_890, "1.2 GB"),
        (43_000_000_000, "43.0 GB"),
    ],
)
def test_bytes_as_text_uses_readable_units(size: int, words: str) -> None:
    assert bytes_as_text(size) == words
