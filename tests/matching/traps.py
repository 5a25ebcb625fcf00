"""The trap library: how files meet that are not the same, and how the same file looks like two. As data.

Each case has the verdict of a careful person who sees both sides and may not guess, and why. ``keys`` are the
items that would be written: with HIGH all that are proven, with LOW the best guess (``strict_matching`` refuses it).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from xml.etree import ElementTree

from common.scene import SceneFile
from matching.proof import Candidate
from plex.items import Part, item_parts

HIGH, LOW, NOT_FOUND = "HIGH", "LOW", "NOT FOUND"
MB = 1_000_000


@dataclass(frozen=True)
class Trap:
    """One case. ``files`` are the scene's in Stash, ``items`` what Plex has, ``path_map`` the setting's text."""

    name: str
    files: tuple[SceneFile, ...]
    items: tuple[Candidate, ...]
    verdict: str
    keys: tuple[int, ...]
    why: str
    path_map: str = ""
    learned: tuple[tuple[str, str, int], ...] = ()


def file(path: str, size: int | None = 700 * MB, duration: float | None = 1800.0) -> SceneFile:
    """A file in Stash."""
    return SceneFile(path, size, duration)


def part(path: str, size: int | None = 700 * MB, duration: float | None = 1800.0) -> Part:
    """A file in Plex."""
    return Part(path, size, duration)


def item(key: int, *parts: Part, section: int = 1, trashed: bool = False) -> Candidate:
    """An item in Plex."""
    return Candidate(key, section, parts, f"Item {key}", trashed)


def nfd(text: str) -> str:
    """As a volume of macOS hands it out."""
    return unicodedata.normalize("NFD", text)


def listed(key: int, xml: str) -> Candidate:
    """An item as a listing shows it."""
    return Candidate(key, 1, tuple(item_parts(ElementTree.fromstring(xml))), f"Item {key}")


_OPTIMIZED = (
    '<Media proxyType="42"><Part file="/media/Plex Versions/Optimized for TV/{name}" size="{size}"'
    ' duration="1800000"/></Media>'
)
_FILE = '<Media><Part file="{path}" size="{size}" duration="1800000"/></Media>'
_LONG = "é" * 125 + "x.mp4"  # 255 bytes, the most a file system takes

FOLDERS = (
    Trap(
        "same mounts, same path",
        (file("/data/a/x.mp4"),),
        (item(1, part("/data/a/x.mp4")), item(2, part("/data/b/x.mp4"))),
        HIGH,
        (1,),
        "The very same path is the file, whatever twin of name and size there is elsewhere.",
    ),
    Trap(
        "same base name in three folders, only the wrong one in Plex",
        (file("/data/a/scene.mp4", 700 * MB),),
        (item(2, part("/media/b/scene.mp4", 900 * MB)),),
        LOW,
        (2,),
        "Plex has a file of that name, but of another size: it is the scene of another folder.",
    ),
    Trap(
        "same base name in three folders, all in Plex, other mounts",
        (file("/data/b/scene.mp4", 900 * MB),),
        (
            item(1, part("/media/a/scene.mp4", 700 * MB)),
            item(2, part("/media/b/scene.mp4", 900 * MB)),
            item(3, part("/media/c/scene.mp4", 800 * MB)),
        ),
        HIGH,
        (2,),
        "One only has the size, to the byte.",
    ),
    Trap(
        "same base name in three folders, all of one size",
        (file("/data/b/scene.mp4"),),
        tuple(item(key, part(f"/media/{folder}/scene.mp4")) for key, folder in enumerate("abc", 1)),
        LOW,
        (2,),
        "Name and size speak for three; the folder b makes the middle one likely, not certain.",
    ),
    Trap(
        "same base name in three folders, all of one size, with a path map",
        (file("/data/b/scene.mp4"),),
        tuple(item(key, part(f"/media/{folder}/scene.mp4")) for key, folder in enumerate("abc", 1)),
        HIGH,
        (2,),
        "The person said where Plex has it.",
        "/data => /media",
    ),
    Trap(
        "tails equal but another file",
        (file("/data/new/studio/2020/scene.mp4", 700 * MB),),
        (item(1, part("/media/old/studio/2020/scene.mp4", 650 * MB, 1707.0)),),
        LOW,
        (1,),
        "Three components agree and the bytes do not: an equal tail is no proof.",
    ),
    Trap(
        "the longest tail is not the file",
        (file("/data/studio/2020/scene.mp4", 700 * MB),),
        (
            item(1, part("/media/studio/2020/scene.mp4", 650 * MB)),
            item(2, part("/media/sorted/scene.mp4", 700 * MB)),
        ),
        HIGH,
        (2,),
        "Size beats the look of the path: the person sorted Plex's copy into another folder.",
    ),
    Trap(
        "renamed folder",
        (file("/data/Studio One/scene.mp4"),),
        (item(1, part("/data/Studio 1/scene.mp4")),),
        HIGH,
        (1,),
        "One side has not scanned yet, but name and size are the file's and no other file's.",
    ),
    Trap(
        "renamed folder, and a path map that says otherwise",
        (file("/data/Studio One/scene.mp4"),),
        (item(1, part("/media/Studio 1/scene.mp4")),),
        HIGH,
        (1,),
        "The rule maps to a path that Plex does not have; name and size still prove it.",
        "/data => /media",
    ),
    Trap(
        "renamed file",
        (file("/data/Studio - Title.mp4"),),
        (item(1, part("/data/title_1080p.mp4")),),
        NOT_FOUND,
        (),
        "Only the size agrees, and sizes meet by chance.",
    ),
    Trap(
        "size equal by chance",
        (file("/data/a.mp4", 731_904_512),),
        (item(1, part("/data/b.mp4", 731_904_512)), item(2, part("/data/c.mp4", 731_904_512))),
        NOT_FOUND,
        (),
        "Other names: a size alone makes no candidate.",
    ),
    Trap(
        "size equal by chance, beside the file itself",
        (file("/data/a.mp4", 731_904_512),),
        (item(1, part("/data/b.mp4", 731_904_512)), item(2, part("/media/a.mp4", 731_904_512))),
        HIGH,
        (2,),
        "The stranger of the same size does not make it doubtful.",
    ),
    Trap(
        "name and size agree, the duration does not",
        (file("/data/a.mp4", duration=1800.0),),
        (item(1, part("/media/a.mp4", duration=1707.0)),),
        HIGH,
        (1,),
        "Plex misreads the length of damaged files; the bytes are counted, the length is estimated.",
    ),
    Trap(
        "same path, other size",
        (file("/data/a.mp4", 700 * MB),),
        (item(1, part("/data/a.mp4", 1200 * MB)),),
        HIGH,
        (1,),
        "The file was replaced by a better one and one side has yet to look again.",
    ),
    Trap(
        "the folder's name is the beginning of another's",
        (file("/data2/a.mp4", 700 * MB),),
        (item(1, part("/media2/a.mp4", 600 * MB)),),
        LOW,
        (1,),
        "/data concerns whole components only: /data2 is another folder, so the paths do not agree.",
        "/data => /media",
    ),
    Trap(
        "two folders, one the beginning of the other, each with its rule",
        (file("/data2/a.mp4", None),),
        (item(1, part("/media/a.mp4", None)), item(2, part("/other/a.mp4", None))),
        HIGH,
        (2,),
        "The rule for /data does not reach /data2; its own rule does.",
        "/data => /media; /data2 => /other",
    ),
    Trap(
        "the first rule wins",
        (file("/data/films/a.mp4", None),),
        (item(1, part("/media/films/a.mp4", None)), item(2, part("/films/a.mp4", None))),
        HIGH,
        (2,),
        "Both rules concern the path; the person put the narrower one first.",
        "/data/films => /films; /data => /media",
    ),
    Trap(
        "the first rule wins, even a broad one",
        (file("/data/films/a.mp4", None),),
        (item(1, part("/media/films/a.mp4", None)), item(2, part("/films/a.mp4", None))),
        HIGH,
        (1,),
        "The order is the person's: no rule is better for being longer.",
        "/data => /media; /data/films => /films",
    ),
    Trap(
        "a path that the map leads away from",
        (file("/data/a.mp4", 700 * MB),),
        (item(1, part("/data/a.mp4", 800 * MB)), item(2, part("/media/a.mp4", 700 * MB))),
        HIGH,
        (2,),
        "Plex's own /data is not Stash's /data: the rule says so, and the size agrees.",
        "/data => /media",
    ),
    Trap(
        "the learned mapping is no proof",
        (file("/data/x/a.mp4", None),),
        (item(1, part("/backup/x/a.mp4", None)), item(2, part("/media/x/a.mp4", None))),
        LOW,
        (2,),
        "A thousand files lie under /media: the second is the likely one, and likely is not proven.",
        learned=(("/data", "/media", 1204), ("/data", "/backup", 3)),
    ),
)

SYSTEMS = (
    Trap(
        "NFC in Stash, NFD in Plex",
        (file("/data/Zoë/Café.mp4", None),),
        (item(1, part(nfd("/data/Zoë/Café.mp4"), None)),),
        HIGH,
        (1,),
        "The same letters in two spellings of Unicode.",
    ),
    Trap(
        "NFD in Stash, NFC in Plex, other mounts",
        (file(nfd("/data/Zoë/Café.mp4")),),
        (item(1, part("/media/Zoë/Café.mp4")),),
        HIGH,
        (1,),
        "The name is the same in either spelling, and so is the size.",
    ),
    Trap(
        "an accent more is another name",
        (file("/data/Cafe.mp4"),),
        (item(1, part("/data/Café.mp4")),),
        NOT_FOUND,
        (),
        "NFC joins spellings, it does not take accents away.",
    ),
    Trap(
        "case on Linux",
        (file("/data/Scene.mp4"),),
        (item(1, part("/data/scene.mp4")),),
        NOT_FOUND,
        (),
        "Linux tells upper from lower case: these may lie side by side.",
    ),
    Trap(
        "case on Linux, both there",
        (file("/data/Scene.mp4"),),
        (item(1, part("/data/scene.mp4")), item(2, part("/data/Scene.mp4"))),
        HIGH,
        (2,),
        "The paths are exactly equal.",
    ),
    Trap(
        "case on a Windows server",
        (file("d:\\scenes\\Studio\\A.MP4", None),),
        (item(1, part("D:\\Scenes\\studio\\a.mp4", None)),),
        HIGH,
        (1,),
        "Windows does not tell case: this is one path.",
    ),
    Trap(
        "Windows to Linux, with a path map",
        (file("D:\\Scenes\\Studio\\a.mp4", None),),
        (item(1, part("/mnt/scenes/Studio/a.mp4", None)),),
        HIGH,
        (1,),
        "The rule leads there, with the other separator.",
        "D:\\Scenes => /mnt/scenes",
    ),
    Trap(
        "Windows to Linux, the rule in other case and slashes",
        (file("D:\\Scenes\\Studio\\a.mp4", None),),
        (item(1, part("/mnt/scenes/Studio/a.mp4", None)),),
        HIGH,
        (1,),
        "For Windows d:/scenes/ is the same folder.",
        "d:/scenes/ => /mnt/scenes/",
    ),
    Trap(
        "Windows to Linux, without a path map",
        (file("D:\\Scenes\\Studio\\a.mp4"),),
        (item(1, part("/mnt/scenes/Studio/a.mp4")),),
        HIGH,
        (1,),
        "The name is what stands after the last backslash; name and size agree.",
    ),
    Trap(
        "Windows to Linux, where case counts again",
        (file("D:\\Scenes\\A.mp4", None),),
        (item(1, part("/mnt/scenes/a.mp4", None)),),
        NOT_FOUND,
        (),
        "Plex's side decides, and on Linux a.mp4 is another file than A.mp4.",
        "D:\\Scenes => /mnt/scenes",
    ),
    Trap(
        "Linux to Windows, with a path map",
        (file("/data/Studio/a.mp4", None),),
        (item(1, part("E:\\Media\\studio\\A.mp4", None)), item(2, part("E:\\Other\\Studio\\a.mp4", None))),
        HIGH,
        (1,),
        "The rule leads there; case does not count on Plex's side.",
        "/data => E:\\Media",
    ),
    Trap(
        "Linux to Windows, without a path map",
        (file("/data/Studio/a.mp4"),),
        (item(1, part("E:\\Media\\Studio\\A.mp4")), item(2, part("E:\\Media\\Studio\\b.mp4"))),
        HIGH,
        (1,),
        "Name (Windows does not tell case) and size agree.",
    ),
    Trap(
        "UNC to Linux",
        (file("\\\\nas\\scenes\\Studio\\a.mp4", None),),
        (item(1, part("/srv/scenes/Studio/a.mp4", None)),),
        HIGH,
        (1,),
        "The share is that folder, says the rule.",
        "\\\\nas\\scenes => /srv/scenes",
    ),
    Trap(
        "Linux to UNC",
        (file("/data/Studio/a.mp4", None),),
        (item(1, part("\\\\NAS\\Scenes\\Studio\\a.mp4", None)),),
        HIGH,
        (1,),
        "The other way round; servers and shares have no case.",
        "/data => \\\\nas\\scenes",
    ),
    Trap(
        "the same path on another share",
        (file("\\\\nas\\scenes\\a.mp4", None),),
        (item(1, part("\\\\nas2\\scenes\\a.mp4", None)),),
        LOW,
        (1,),
        "Two servers are two servers; without sizes nothing proves a copy.",
    ),
    Trap(
        "a long path with its prefix",
        (file("D:\\Scenes\\" + "deep\\" * 60 + "a.mp4", None),),
        (item(1, part("\\\\?\\D:\\Scenes\\" + "deep\\" * 60 + "a.mp4", None)),),
        HIGH,
        (1,),
        "Plex puts the prefix before paths of more than 260 letters; it is not part of the path.",
    ),
    Trap(
        "a long path of a share with its prefix",
        (file("/data/deep/a.mp4", None),),
        (item(1, part("\\\\?\\UNC\\nas\\scenes\\deep\\a.mp4", None)),),
        HIGH,
        (1,),
        "The prefix of a share has a word more.",
        "/data => \\\\nas\\scenes",
    ),
    Trap(
        "a volume of macOS",
        (file("/data/Zoë/A.mp4", None),),
        (item(1, part(nfd("/Volumes/Media/zoë/a.mp4"), None)),),
        HIGH,
        (1,),
        "macOS spells it apart and does not tell case.",
        "/data => /Volumes/Media",
    ),
    Trap(
        "a volume of macOS that tells case after all",
        (file("/Volumes/Media/A.mp4", 700 * MB),),
        (item(1, part("/Volumes/Media/a.mp4", 900 * MB)), item(2, part("/Volumes/Media/A.mp4", 700 * MB))),
        HIGH,
        (2,),
        "Both exist, so they are two files: the exact spelling counts.",
    ),
    Trap(
        "a volume of macOS that tells case, and neither is written so",
        (file("/data/a.MP4", 700 * MB),),
        (item(1, part("/Volumes/Media/a.mp4", 900 * MB)), item(2, part("/Volumes/Media/A.mp4", 800 * MB))),
        LOW,
        (1,),
        "Either may be meant.",
        "/data => /Volumes/Media",
    ),
    Trap(
        "a volume of macOS that tells case, and no sizes",
        (file("/data/a.mp4", None),),
        (item(1, part("/Volumes/Media/A.mp4", None)), item(2, part("/Volumes/Media/a.mp4", None))),
        HIGH,
        (2,),
        "The second has exactly the file's path; nothing shows that the first is the same file.",
        "/data => /Volumes/Media",
    ),
    Trap(
        "a volume of macOS that tells case, and one has the size",
        (file("/data/a.MP4", 700 * MB),),
        (item(1, part("/Volumes/Media/a.mp4", 900 * MB)), item(2, part("/Volumes/Media/A.mp4", 700 * MB))),
        HIGH,
        (2,),
        "By the paths either may be meant; one only has name and size.",
        "/data => /Volumes/Media",
    ),
    Trap(
        "a volume of macOS that tells case, both versions of one item",
        (file("/data/a.MP4", None),),
        (item(1, part("/Volumes/Media/a.mp4", None), part("/Volumes/Media/A.mp4", None)),),
        HIGH,
        (1,),
        "Either may be meant, and either is this item.",
        "/data => /Volumes/Media",
    ),
    Trap(
        "a backslash in a name on Linux",
        (file("/data/AC\\DC.mp4"),),
        (item(1, part("/media/DC.mp4")),),
        NOT_FOUND,
        (),
        "On Linux a backslash is a letter: the name is AC\\DC.mp4.",
    ),
)

_NAMES = {
    "trailing spaces": ("a scene .mp4", "a scene.mp4"),
    "a leading space": (" scene.mp4", "scene.mp4"),
    "quotes": ('It\'s "it".mp4', "It’s “it”.mp4"),
    "percent signs": ("100%25.mp4", "100%.mp4"),
    "an underscore": ("a_b.mp4", "axb.mp4"),
    "a plus": ("a+b.mp4", "a b.mp4"),
    "a hash": ("a#1.mp4", "a.mp4"),
    "an emoji": ("🍑 scene.mp4", "🍒 scene.mp4"),
    "an ampersand": ("a&amp;b.mp4", "a&b.mp4"),
    "255 bytes": (_LONG, _LONG.replace("x.mp4", "y.mp4")),
}

NAMES = tuple(
    trap
    for what, (name, twin) in _NAMES.items()
    for trap in (
        Trap(
            f"{what} in a name",
            (file(f"/data/{name}"),),
            (item(1, part(f"/media/{twin}")), item(2, part(f"/media/{name}"))),
            HIGH,
            (2,),
            "A name is letters, not a pattern and not code: only the equal one is equal.",
        ),
        Trap(
            f"{what} in a name, only the twin in Plex",
            (file(f"/data/{name}"),),
            (item(1, part(f"/media/{twin}")),),
            NOT_FOUND,
            (),
            "A name that looks alike is another name, even with the same size.",
        ),
    )
)

ITEMS = (
    Trap(
        "several files, the second is in Plex",
        (file("/data/a.mp4"), file("/data/a-4k.mp4", 4000 * MB)),
        (item(1, part("/data/a-4k.mp4", 4000 * MB)),),
        HIGH,
        (1,),
        "Any file of the scene is the scene.",
    ),
    Trap(
        "several files, each an item",
        (file("/data/a.mp4"), file("/data/a-4k.mp4", 4000 * MB)),
        (item(5, part("/data/a-4k.mp4", 4000 * MB)), item(9, part("/data/a.mp4"))),
        HIGH,
        (9, 5),
        "Both items hold a file of the scene; the primary one's comes first.",
    ),
    Trap(
        "several files, one proven, the other's name a trap",
        (file("/data/movie.mp4", 700 * MB), file("/data/Studio - Title.mp4", 900 * MB)),
        (item(1, part("/media/other/movie.mp4", 650 * MB)), item(2, part("/media/Studio - Title.mp4", 900 * MB))),
        HIGH,
        (2,),
        "The second file proves its item; what shares a name with the first stays unwritten.",
    ),
    Trap(
        "several files, one ambiguous",
        (file("/data/a.mp4"), file("/data/b.mp4", 5 * MB)),
        (
            item(1, part("/m/x/a.mp4")),
            item(2, part("/m/y/a.mp4")),
            item(3, part("/m/x/b.mp4", 5 * MB)),
        ),
        HIGH,
        (3,),
        "Which a.mp4 is meant is open, the item of b.mp4 is certain.",
    ),
    Trap(
        "several files, copies of one another",
        (file("/data/x/a.mp4"), file("/data/y/a.mp4")),
        (item(1, part("/media/x/a.mp4")), item(2, part("/media/y/a.mp4"))),
        LOW,
        (1,),
        "For each file two items have name and size: likely both are meant, but a map must say so.",
    ),
    Trap(
        "several files, copies of one another, with a path map",
        (file("/data/x/a.mp4"), file("/data/y/a.mp4")),
        (item(1, part("/media/x/a.mp4")), item(2, part("/media/y/a.mp4"))),
        HIGH,
        (1, 2),
        "Now each is proven by its path.",
        "/data => /media",
    ),
    Trap(
        "stacked parts",
        (file("/data/a-cd2.mp4", 350 * MB),),
        (item(1, part("/data/a-cd1.mp4", 700 * MB), part("/data/a-cd2.mp4", 350 * MB)),),
        HIGH,
        (1,),
        "The item is made of both parts.",
    ),
    Trap(
        "stacked parts, other mounts",
        (file("/data/a-cd2.mp4", 350 * MB),),
        (
            item(1, part("/media/a-cd1.mp4", 700 * MB), part("/media/a-cd2.mp4", 350 * MB)),
            item(2, part("/media/old/a-cd2.mp4", 340 * MB)),
        ),
        HIGH,
        (1,),
        "Every part counts, and of two with the name one has the size.",
    ),
    Trap(
        "merged versions",
        (file("/data/a-720p.mp4", 300 * MB),),
        (item(1, part("/media/a-1080p.mp4", 900 * MB), part("/media/a-720p.mp4", 300 * MB)),),
        HIGH,
        (1,),
        "The second version is the scene's file.",
    ),
    Trap(
        "merged copies",
        (file("/data/a.mp4"),),
        (item(1, part("/media/x/a.mp4"), part("/media/y/a.mp4")),),
        HIGH,
        (1,),
        "Two copies, but one item: whichever it is, this item has it.",
    ),
    Trap(
        "merged copies in one library, one of them in another",
        (file("/data/a.mp4"),),
        (item(1, part("/m/x/a.mp4"), part("/m/y/a.mp4")), item(2, part("/m/x/a.mp4"), section=2)),
        LOW,
        (1,),
        "Two items and two places: that the second holds the scene's own copy is not certain.",
    ),
    Trap(
        "optimized version beside the file",
        (file("/data/a.mp4", 700 * MB),),
        (
            listed(
                1,
                f"<Video>{_FILE.format(path='/media/a.mp4', size=700 * MB)}"
                f"{_OPTIMIZED.format(name='a.mp4', size=90 * MB)}</Video>",
            ),
        ),
        HIGH,
        (1,),
        "The item's own file proves it; what Plex made of it does not matter.",
    ),
    Trap(
        "optimized version only",
        (file("/data/a.mp4", 90 * MB),),
        (listed(1, f"<Video>{_OPTIMIZED.format(name='a.mp4', size=90 * MB)}</Video>"),),
        NOT_FOUND,
        (),
        "A version that Plex made for itself proves nothing.",
    ),
    Trap(
        "same file in two libraries, same mounts",
        (file("/data/a.mp4", None),),
        (item(7, part("/data/a.mp4", None), section=2), item(8, part("/data/a.mp4", None))),
        HIGH,
        (8, 7),
        "Two items hold the scene's own file; both are to show it.",
    ),
    Trap(
        "same file in two libraries, other mounts",
        (file("/data/a.mp4"),),
        (item(1, part("/media/a.mp4")), item(2, part("/media/a.mp4"), section=2)),
        HIGH,
        (1, 2),
        "Plex says itself that it is one file: same place.",
    ),
    Trap(
        "same file in two libraries of Windows, the folders typed differently",
        (file("/data/a.mp4"),),
        (item(1, part("D:\\Scenes\\a.mp4")), item(2, part("d:\\scenes\\a.mp4"), section=2)),
        HIGH,
        (1, 2),
        "For Windows that is one place.",
    ),
    Trap(
        "same file in two libraries of Windows, and a path map in the letters of one",
        (file("/data/a.mp4"),),
        (item(1, part("d:\\scenes\\a.mp4")), item(2, part("D:\\Scenes\\a.mp4"), section=2)),
        HIGH,
        (1, 2),
        "Same place but for the case, same size: the same file, in whichever letters.",
        "/data => D:\\Scenes",
    ),
    Trap(
        "same file in two libraries, and a copy elsewhere",
        (file("/data/a.mp4"),),
        (
            item(1, part("/media/a.mp4")),
            item(2, part("/media/a.mp4"), section=2),
            item(3, part("/media/backup/a.mp4"), section=2),
        ),
        LOW,
        (1,),
        "Which place is the scene's is open again.",
    ),
    Trap(
        "a copy in another folder",
        (file("/data/x/a.mp4"),),
        (item(1, part("/media/x/a.mp4")), item(2, part("/media/copies/a.mp4"))),
        LOW,
        (1,),
        "Name and size speak for both; the folder only makes the first likely.",
    ),
    Trap(
        "one item, listed twice",
        (file("/data/a.mp4"),),
        (item(1, part("/media/a.mp4")), item(1, part("/media/a.mp4"))),
        HIGH,
        (1,),
        "Found by two ways it is still one item.",
    ),
    Trap(
        "item without media",
        (file("/data/a.mp4"),),
        (item(1), item(2, part("/media/a.mp4"))),
        HIGH,
        (2,),
        "What has no file cannot be it, nor make it doubtful.",
    ),
    Trap(
        "item without media only",
        (file("/data/a.mp4"),),
        (item(1),),
        NOT_FOUND,
        (),
        "Not analysed yet: wait.",
    ),
    Trap(
        "no sizes at all",
        (file("/data/a.mp4", None),),
        (item(1, part("/media/a.mp4", None)),),
        LOW,
        (1,),
        "The name alone, even alone with it, is no proof.",
    ),
    Trap(
        "no size in Stash",
        (file("/data/a.mp4", None),),
        (item(1, part("/media/a.mp4")),),
        LOW,
        (1,),
        "An unknown size equals nothing.",
    ),
    Trap(
        "empty files",
        (file("/data/a.mp4", 0),),
        (item(1, part("/media/a.mp4", 0)),),
        LOW,
        (1,),
        "Nought bytes tell nothing apart.",
    ),
    Trap(
        "no sizes, same path",
        (file("/data/a.mp4", None, None),),
        (item(1, part("/data/a.mp4", None, None)), item(2, part("/data/x/a.mp4", None, None))),
        HIGH,
        (1,),
        "A path needs no size.",
    ),
    Trap(
        "two scenes sharing one item, the first",
        (file("/data/a-cd1.mp4"),),
        (item(1, part("/data/a-cd1.mp4"), part("/data/a-cd2.mp4", 300 * MB)),),
        HIGH,
        (1,),
        "Each scene's file is proven; whose item it is then is decided by its first part.",
    ),
    Trap(
        "two scenes sharing one file, the second by another path",
        (file("/data/links/a.mp4"),),
        (item(1, part("/data/a.mp4")),),
        HIGH,
        (1,),
        "A link to the file: name and size agree, and there is no other.",
    ),
    Trap(
        "a rebuilt library, the rating key now another film's",
        (file("/data/a.mp4"),),
        (item(42, part("/data/another film.mp4")),),
        NOT_FOUND,
        (),
        "The remembered number proves nothing; the file is not there.",
    ),
    Trap(
        "a rebuilt library, the file under a new rating key",
        (file("/data/a.mp4"),),
        (item(42, part("/data/another film.mp4")), item(57, part("/data/a.mp4"))),
        HIGH,
        (57,),
        "The file counts, not the number.",
    ),
    Trap(
        "moved file with a new rating key, the old one in the trash",
        (file("/data/new/a.mp4"),),
        (item(3, part("/data/old/a.mp4"), trashed=True), item(90, part("/data/new/a.mp4"))),
        HIGH,
        (90,),
        "The new item has the file.",
    ),
    Trap(
        "moved file, Stash still knows the old path",
        (file("/data/old/a.mp4"),),
        (item(3, part("/data/old/a.mp4"), trashed=True), item(90, part("/data/new/a.mp4"))),
        HIGH,
        (90,),
        "The old item's file is gone for Plex; the only living file of this name and size is the new one.",
    ),
    Trap(
        "trash only",
        (file("/data/a.mp4"),),
        (item(3, part("/data/a.mp4"), trashed=True),),
        LOW,
        (),
        "The file was moved, or its disk is away: wait. Written now, the scene would count as done.",
    ),
    Trap(
        "trash that fits better than what is there",
        (file("/data/a.mp4", 700 * MB),),
        (item(3, part("/data/a.mp4", 700 * MB), trashed=True), item(4, part("/data/x/a.mp4", 600 * MB))),
        LOW,
        (4,),
        "The living one is another file, the right one is gone: nothing is certain.",
    ),
    Trap(
        "a twin in the trash",
        (file("/data/a.mp4"),),
        (item(3, part("/media/b/a.mp4"), trashed=True), item(4, part("/media/a/a.mp4"))),
        HIGH,
        (4,),
        "What lies in the trash does not make the living one doubtful.",
    ),
    Trap(
        "an empty Plex",
        (file("/data/a.mp4"),),
        (),
        NOT_FOUND,
        (),
        "Nothing is there yet.",
    ),
    Trap(
        "a scene without files",
        (),
        (item(1, part("/data/a.mp4")),),
        NOT_FOUND,
        (),
        "Nothing can be looked for.",
    ),
)

TRAPS = (*FOLDERS, *SYSTEMS, *NAMES, *ITEMS)
