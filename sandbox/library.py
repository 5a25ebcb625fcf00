"""A generated library, the same for the same seed, that fills both simulators.

It contains every oddity of real libraries (stash 7.4 and 10): partial and missing dates, several files, no file, one
base name in several folders, names in both Unicode forms, unset text as ``""``, tags with commas, quotes and emoji,
performers who share a name, studios with parents, scenes with nothing but a file.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import Any, Literal

STASH_BOX = "https://stashdb.org/graphql"
_START = int(datetime(2023, 11, 21, 9, 30, tzinfo=timezone.utc).timestamp())
_YEAR = 365 * 24 * 3600
_ROUND = 97  # the first scenes of every round have one oddity each; see _ODDITIES

_FIRST = [
    "Ada",
    "Bea",
    "Cleo",
    "Dora",
    "Edda",
    "Flora",
    "Greta",
    "Hanna",
    "Ines",
    "Jana",
    "Kaja",
    "Lena",
    "Mia",
    "Nora",
    "Olga",
    "Petra",
    "Rosa",
    "Sofia",
    "Tilda",
    "Vera",
]
_LAST = ["Adler", "Brandt", "Çelik", "Dvořák", "Ekström", "Fournier", "García", "Håkansson", "Ivanova", "李", "O'Neill"]
_NOUNS = [
    "Harbour",
    "Garden",
    "Window",
    "Letter",
    "Mirror",
    "River",
    "Market",
    "Lantern",
    "Orchard",
    "Station",
    "Summer",
    "Winter",
    "Balcony",
    "Island",
]
_ADJECTIVES = [
    "Quiet",
    "Golden",
    "Broken",
    "Hidden",
    "Northern",
    "Paper",
    "Distant",
    "Silver",
    "Late",
    "Early",
    "Borrowed",
    "Second",
]
_STUDIOS = [
    "Atlas Films",
    "Blue Door",
    "Café Noir",
    "Delta & Söhne",
    'The "Quoted" Studio',
    "Ember",
    "Foxglove",
    "Grün",
]
_TAGS = [
    *("Outdoor", "Indoor", "Interview", "Black, White", 'Said "Yes"', "Über", "日本語", "🎬 Behind the Scenes", "HD"),
    *("A/B test", "Rock & Roll", "<b>bold</b>", "semi;colon", "per cent 100%", "under_score", "plus+", "ʻokina"),
    *("Slow", "Fast", "Rain", "Snow", "City", "Sea", "Night", "Dawn", "Portrait", "Duo", "Trio", "Crowd", "Solo"),
]
_DETAILS = [
    "A short note.",
    "First line.\nSecond line, with an umlaut: Übergröße.\n\nA paragraph after an empty line.",
    "Not HTML: <b>bold</b> &amp; <i>more</i> — 日本語 and an emoji 🎞️.",
    'Quotes "inside", a back\\slash, a tab\there, and a trailing space ',
    "Line one\r\nLine two with Windows ends",
]


@dataclass(frozen=True)
class LibraryFile:
    """A video file: ``path`` as Stash sees it, ``size`` bytes, ``duration`` seconds, ``mod_time`` unix seconds."""

    path: str
    size: int
    duration: float
    mod_time: int
    fingerprints: dict[str, str] = field(default_factory=dict)
    width: int = 1920
    height: int = 1080

    @property
    def basename(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class LibraryPerformer:
    """A performer; ``disambiguation`` distinguishes those who share a name."""

    id: int
    name: str
    disambiguation: str = ""
    gender: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class LibraryStudio:
    """A studio; ``parent_id`` refers to an earlier one."""

    id: int
    name: str
    parent_id: int | None = None


@dataclass(frozen=True)
class LibraryTag:
    """A tag; ``parent_id`` refers to an earlier one."""

    id: int
    name: str
    parent_id: int | None = None


@dataclass(frozen=True)
class LibraryGroup:
    """A group of scenes."""

    id: int
    name: str


@dataclass(frozen=True)
class LibraryScene:
    """A scene as Stash keeps it. Times in unix seconds; ``date`` YYYY-MM-DD, YYYY-MM, YYYY or None."""

    id: int
    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    urls: tuple[str, ...] = ()
    date: str | None = None
    rating100: int | None = None
    organized: bool = False
    studio_id: int | None = None
    performer_ids: tuple[int, ...] = ()
    tag_ids: tuple[int, ...] = ()
    groups: tuple[tuple[int, int | None], ...] = ()
    stash_ids: tuple[tuple[str, str], ...] = ()
    files: tuple[LibraryFile, ...] = ()
    created: int = _START
    updated: int = _START


@dataclass(frozen=True)
class Library:
    """A library. Ids start at 1 and have no gaps."""

    performers: list[LibraryPerformer]
    studios: list[LibraryStudio]
    tags: list[LibraryTag]
    groups: list[LibraryGroup]
    scenes: list[LibraryScene]


def generate(seed: int = 1, scenes: int = 200, root: str = "/data") -> Library:
    """Return a library of ``scenes`` scenes with files below ``root``; the same arguments give the same library."""
    rng = random.Random(seed)
    performers = _performers(rng, max(12, scenes // 5))
    studios = [
        LibraryStudio(number, name, parent_id=rng.randrange(1, number) if number > 3 and rng.random() < 0.5 else None)
        for number, name in enumerate(_names(_STUDIOS, max(len(_STUDIOS), scenes // 50)), 1)
    ]
    tags = [
        LibraryTag(number, name, parent_id=rng.randrange(1, number) if number > 9 and rng.random() < 0.2 else None)
        for number, name in enumerate(_names(_TAGS, max(len(_TAGS), scenes // 25)), 1)
    ]
    count = max(4, scenes // 40)
    groups = [LibraryGroup(n, f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)} {n}") for n in range(1, count + 1)]
    maker = _SceneMaker(rng, root, performers, studios, tags, groups)
    return Library(performers, studios, tags, groups, [maker.scene(number) for number in range(1, scenes + 1)])


def _names(base: list[str], count: int) -> list[str]:
    return [base[n] if n < len(base) else f"{base[n % len(base)]} {n // len(base) + 1}" for n in range(count)]


def _performers(rng: random.Random, count: int) -> list[LibraryPerformer]:
    made = [
        LibraryPerformer(1, "Ada Adler", "the elder"),
        LibraryPerformer(2, "Ada Adler", "the younger"),
        LibraryPerformer(3, unicodedata.normalize("NFD", "Zoë Dvořák"), aliases=("Zoe D.", "Z, the first")),
    ]
    taken = {performer.name for performer in made}
    while len(made) < count:
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
        name = name if name not in taken else f"{name} {len(made) + 1}"
        taken.add(name)
        gender = rng.choice(["FEMALE", "MALE", "NON_BINARY", None])
        made.append(LibraryPerformer(len(made) + 1, name, gender=gender))
    return made


class _SceneMaker:
    """Generate one scene after the other from one random stream."""

    def __init__(
        self,
        rng: random.Random,
        root: str,
        performers: list[LibraryPerformer],
        studios: list[LibraryStudio],
        tags: list[LibraryTag],
        groups: list[LibraryGroup],
    ) -> None:
        self.rng, self.root = rng, root.rstrip("/")
        self.performers, self.studios, self.tags, self.groups = performers, studios, tags, groups

    def scene(self, number: int) -> LibraryScene:
        """Return scene number ``number``: an oddity for the first ones of a round, else an ordinary scene."""
        scene = self._everyday(number)
        place = (number - 1) % _ROUND
        return _ODDITIES[place](self, scene) if place < len(_ODDITIES) else scene

    def file(self, path: str, number: int) -> LibraryFile:
        """Return a file at ``path`` below the root with random size, length and fingerprint."""
        size, length = self.rng.randrange(50_000_000, 4_000_000_000), round(self.rng.uniform(61.0, 7200.0), 2)
        width, height = self.rng.choice([(1920, 1080), (1280, 720), (3840, 2160)])
        prints = {"oshash": f"{self.rng.getrandbits(64):016x}", "phash": f"{self.rng.getrandbits(64):x}"}
        return LibraryFile(f"{self.root}/{path}", size, length, _START + number * 60, prints, width, height)

    def _everyday(self, number: int) -> LibraryScene:
        rng = self.rng
        title = f"{rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)} {number}"
        studio = rng.choice(self.studios)
        created = _START + (number * 131_071) % _YEAR  # spread over a year: summer and winter time
        return LibraryScene(
            id=number,
            title=title,
            code=f"S2P-{number:04d}" if rng.random() < 0.5 else "",
            details=rng.choice(_DETAILS) if rng.random() < 0.8 else "",
            director=rng.choice(["", "", "Carla Regisseur"]),
            urls=(f"https://example.org/scenes/{number}",) if rng.random() < 0.5 else (),
            date=_date(rng),
            rating100=rng.choice([None, None, 1, 20, 55, 80, 99, 100]),
            organized=rng.random() < 0.6,
            studio_id=studio.id if rng.random() < 0.9 else None,
            performer_ids=tuple(p.id for p in rng.sample(self.performers, rng.randint(0, 4))),
            tag_ids=tuple(t.id for t in rng.sample(self.tags, rng.randint(0, 6))),
            groups=((rng.choice(self.groups).id, rng.choice([None, 1, 2])),) if rng.random() < 0.2 else (),
            stash_ids=((STASH_BOX, f"{rng.getrandbits(128):032x}"),) if rng.random() < 0.4 else (),
            files=(self.file(f"{_folder(studio.name)}/{title}.mp4", number),),
            created=created,
            updated=created + rng.randrange(0, 1_000_000),
        )


def _folder(studio: str) -> str:
    return studio.replace('"', "").replace("/", "-")


def _date(rng: random.Random) -> str | None:
    year, month, day = rng.randint(1995, 2025), rng.randint(1, 12), rng.randint(1, 28)
    full = f"{year}-{month:02d}-{day:02d}"
    return rng.choice([full, full, full, full, full, f"{year}-{month:02d}", f"{year}", None])


def _as_is(_: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    return replace(scene, organized=True, date="2021-05-04", rating100=80, performer_ids=(1, 3), tag_ids=(1, 2))


def _two_files(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    second = maker.file(f"Second copies/{scene.files[0].basename}", scene.id)
    return replace(scene, files=(*scene.files, second))


def _three_files(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    others = [maker.file(f"Parts/{scene.title} cd{part}.mp4", scene.id) for part in (1, 2)]
    return replace(scene, files=(*scene.files, *others))


def _no_files(_: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    return replace(scene, files=())


def _base_name(folder: str) -> Oddity:
    def oddity(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
        part = f" {scene.id // _ROUND}" if scene.id > _ROUND else ""
        return replace(scene, files=(maker.file(f"{folder}{part}/scene.mp4", scene.id),))

    return oddity


def _named(form: Literal["NFC", "NFD"]) -> Oddity:
    def oddity(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
        name = unicodedata.normalize(form, f"Été à Zürich – Übung {scene.id}")
        return replace(scene, title=f"Été à Zürich {scene.id}", files=(maker.file(f"Unicode/{name}.mkv", scene.id),))

    return oddity


def _with(**changes: Any) -> Oddity:
    return lambda _, scene: replace(scene, **changes)


def _nothing_but_a_file(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    file = maker.file(f"Unsorted/clip {scene.id}.mp4", scene.id)
    return LibraryScene(id=scene.id, files=(file,), created=scene.created, updated=scene.created)


def _nothing_at_all(_: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    return LibraryScene(id=scene.id, created=scene.created, updated=scene.created)


def _odd_path(maker: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    name = f"Rock & Roll #{scene.id} 100% [x] 'q' +plus; a=b? ünï 日本.mp4"
    return replace(scene, files=(maker.file(f"Odd names, all of them/{name}", scene.id),))


def _same_performers(_: _SceneMaker, scene: LibraryScene) -> LibraryScene:
    return replace(scene, performer_ids=(1, 2, 3))


Oddity = Callable[[_SceneMaker, LibraryScene], LibraryScene]
_ODDITIES: list[Oddity] = [
    _as_is,
    _two_files,
    _no_files,
    _base_name("A/first"),
    _base_name("B/second"),
    _named("NFC"),
    _named("NFD"),
    _with(date=None),
    _with(date="2019"),
    _with(date="2019-07"),
    _nothing_but_a_file,
    _with(title="", details="", organized=True),
    _with(details=_DETAILS[1]),
    _with(details=_DETAILS[2]),
    _with(tag_ids=(4, 5, 8, 11, 12), organized=True),
    _with(rating100=None, organized=False),
    _with(rating100=100, organized=True),
    _same_performers,
    _with(studio_id=None, performer_ids=(), tag_ids=()),
    _three_files,
    _odd_path,
    _with(stash_ids=((STASH_BOX, "00000000-0000-4000-8000-000000000001"), ("https://box.example/graphql", "x-1"))),
    _with(title=" ".join(["A very long title"] * 20)),
    _nothing_at_all,
]
