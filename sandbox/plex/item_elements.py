"""An item as an element of a listing and on its own (plex 3.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from operator import attrgetter

from sandbox.plex.markup import Node, Scalar, xml
from sandbox.plex.media_store import MediaStore
from sandbox.plex.model import TAG_ELEMENTS, Collection, Entry, Item, Media, Part
from sandbox.plex.paths import extension
from sandbox.plex.pictures import ART, THUMB

_LISTED = {"genre": 2, "country": 2, "director": 2, "writer": 2, "actor": 3, "collection": None}
"""Tag kinds of a listing and how many it shows: it is written from shortened text columns."""

_scalars = attrgetter(
    "title", "title_sort", "summary", "studio", "tagline", "original_title", "content_rating", "edition_title",
    "originally_available_at", "year", "user_rating", "rating", "audience_rating", "last_rated_at", "view_count",
    "last_viewed_at", "view_offset", "added_at", "updated_at", "deleted_at", "guid", "slug", "analyzed",
)  # fmt: skip


def listing_xml(store: MediaStore, item: Item, guids: bool) -> str:
    """Return a listing's element as text, cached on the item until something it shows changes."""
    made_of = (guids, _scalars(item), _fingerprint(item))
    if item.rendered is not None and item.rendered[0] == made_of:
        return item.rendered[1]
    text = xml(listing_element(store, item, guids))
    item.rendered = (made_of, text)
    return text


def listing_element(store: MediaStore, item: Item, guids: bool) -> Node:
    """Return the partial form: two genres, three actors by name, no labels, locks or streams."""
    children: list[Node | str] = [_media(media, full=False, check=False) for media in item.media]
    children += _pictures(item)
    for kind, most in _LISTED.items():
        children += [Node(TAG_ELEMENTS[kind], {"tag": tag.tag}) for tag in item.tag_lists.get(kind, [])[:most]]
    if guids:
        children += [Node("Guid", {"id": guid}) for guid in item.guids]
    return Node("Video", _attributes(store, item, full=False), children)


def full_element(store: MediaStore, item: Item, check_files: bool, missing: Iterable[str] = ()) -> Node:
    """Return the whole item, as ``/library/metadata/{id}`` shows it. ``missing`` are files that are not on disk."""
    gone = set(missing)
    children: list[Node | str] = [_media(media, full=True, check=check_files, missing=gone) for media in item.media]
    children += _pictures(item)
    children += _all_tags(store, item)
    children += [Node("Guid", {"id": guid}) for guid in item.guids]
    children += _locks(item)
    return Node("Video", _attributes(store, item, full=True), children)


def collection_element(store: MediaStore, found: Collection, members: list[Item], full: bool) -> Node:
    """Return a collection, in a listing or on its own (plex 6)."""
    years = [item.year for item in members if item.year]
    key = found.rating_key
    attributes: dict[str, Scalar] = {
        "ratingKey": str(key),
        "key": f"/library/collections/{key}/children",
        "guid": found.guid,
        "type": "collection",
        "title": found.title,
        **(_home(found) if full else {}),
        "titleSort": found.sorted_as if found.sorted_as != found.title else None,
        "contentRating": found.content_rating,
        "subtype": "movie",
        "summary": found.summary,
        "smart": False,
        "index": found.index,
        "userRating": found.user_rating,
        "ratingCount": len(members),
        "thumb": _picture_url(found, THUMB) or f"/library/collections/{key}/composite/{found.updated_at}",
        "art": _picture_url(found, ART),
        "addedAt": found.added_at,
        "updatedAt": found.updated_at,
        "childCount": str(len(members)),
        "collectionMode": found.mode if found.mode >= 0 else None,
        "collectionSort": found.order or None,
        "minYear": min(years, default=None),
        "maxYear": max(years, default=None),
    }
    children: list[Node | str] = []
    if full:
        children = [*_tags(store, found, "label"), *_locks(found)]
    return Node("Directory", attributes, children, json_name="Metadata")


def _attributes(store: MediaStore, item: Item, full: bool) -> dict[str, Scalar]:
    key = item.rating_key
    return {
        "ratingKey": str(key),
        "key": f"/library/metadata/{key}",
        "guid": item.guid,
        "slug": item.slug,
        "studio": item.studio or None,
        "type": "movie",
        "title": item.title,
        **(_home(item) if full else {}),
        "titleSort": item.sorted_as if item.sorted_as != item.title else None,
        "originalTitle": item.original_title or None,
        "editionTitle": item.edition_title or None,
        "contentRating": item.content_rating or None,
        "summary": item.summary,
        "rating": item.rating,
        "audienceRating": item.audience_rating,
        "userRating": item.user_rating,
        "viewOffset": item.view_offset or None,
        "viewCount": item.view_count or None,
        "lastViewedAt": item.last_viewed_at,
        "lastRatedAt": item.last_rated_at,
        "year": item.year,
        "tagline": item.tagline or None,
        "thumb": _picture_url(item, THUMB),
        "art": _picture_url(item, ART),
        "duration": item.duration,
        "originallyAvailableAt": item.originally_available_at or None,
        "addedAt": item.added_at,
        "updatedAt": item.updated_at,
        "deletedAt": item.deleted_at,
    }


def _home(entry: Entry) -> dict[str, Scalar]:
    section = entry.section
    return {
        "librarySectionTitle": section.title,
        "librarySectionID": section.key,
        "librarySectionKey": f"/library/sections/{section.key}",
    }


def _picture_stamp(entry: Entry, place: str) -> int | None:
    slot = entry.images.get(place)
    if slot is not None:
        return slot.stamp if slot.selected else None
    return entry.born if isinstance(entry, Item) and entry.analyzed else None


def _picture_url(entry: Entry, place: str) -> str | None:
    stamp = _picture_stamp(entry, place)
    return None if stamp is None else f"/library/metadata/{entry.rating_key}/{place}/{stamp}"


def _pictures(item: Item) -> Iterator[Node]:
    thumb, art = _picture_url(item, THUMB), _picture_url(item, ART)
    if thumb:
        yield Node("Image", {"alt": item.title, "type": "coverPoster", "url": thumb})
    if art:
        yield Node("Image", {"alt": item.title, "type": "background", "url": art})
    if thumb or art:
        digest = hashlib.sha1(f"{item.rating_key}{thumb}".encode(), usedforsecurity=False).hexdigest()
        corners = ("topLeft", "topRight", "bottomRight", "bottomLeft")
        yield Node("UltraBlurColors", {corner: digest[6 * i : 6 * i + 6] for i, corner in enumerate(corners)})


def _tags(store: MediaStore, entry: Entry, kind: str) -> Iterator[Node]:
    for tag in entry.tag_lists.get(kind, ()):
        row = store.tag_table.id_of(kind, tag.tag)
        attributes: dict[str, Scalar] = {"id": row, "filter": f"{kind}={row}", "tag": tag.tag}
        if kind == "actor":
            attributes |= {"role": tag.role or None, "thumb": tag.thumb or None}
        elif kind == "collection":
            found = store.collection_objects.named(entry.section, tag.tag)
            attributes["guid"] = found.guid if found else None
        yield Node(TAG_ELEMENTS[kind], attributes)


def _all_tags(store: MediaStore, entry: Entry) -> Iterator[Node]:
    for kind in TAG_ELEMENTS:
        yield from _tags(store, entry, kind)


def _locks(entry: Entry) -> list[Node]:
    return [Node("Field", {"locked": True, "name": name}) for name in sorted(entry.locks)]


def _fingerprint(item: Item) -> object:
    return (
        tuple((part.file, part.size, part.duration, part.deleted_at) for part in item.parts()),
        tuple((media.proxy_type, len(media.parts)) for media in item.media),
        {kind: tuple(item.tag_lists[kind]) for kind in _LISTED if kind in item.tag_lists},
        tuple(item.guids),
        _picture_stamp(item, THUMB),
        _picture_stamp(item, ART),
    )


def _media(media: Media, full: bool, check: bool, missing: Iterable[str] = ()) -> Node:
    container = media.container
    attributes: dict[str, Scalar] = {
        "id": media.id,
        "duration": media.duration,
        "bitrate": media.bitrate,
        "width": media.width,
        "height": media.height,
        "aspectRatio": "1.78",
        "audioChannels": 2,
        "audioCodec": "aac",
        "videoCodec": "h264",
        "videoResolution": str(media.height),
        "container": container,
        "videoFrameRate": "24p",
        "videoProfile": "high",
        "hasVoiceActivity": False,
        "proxyType": media.proxy_type,
    }
    if media.parts and all(part.deleted_at for part in media.parts):
        attributes["deletedAt"] = media.parts[0].deleted_at
    return Node("Media", attributes, [_part(part, full, check, part.file not in missing) for part in media.parts])


def _part(part: Part, full: bool, check: bool, exists: bool) -> Node:
    container = extension(part.file)
    attributes: dict[str, Scalar] = {
        "accessible": exists if check else None,
        "exists": exists if check else None,
        "id": part.id,
        "key": f"/library/parts/{part.id}/{part.stamp}/file.{container}",
        "duration": part.duration,
        "file": part.file,
        "size": part.size,
        "container": container,
        "indexes": "sd",
        "videoProfile": "high",
        "deletedAt": part.deleted_at,
    }
    return Node("Part", attributes, _streams(part) if full else [])


def _streams(part: Part) -> list[Node | str]:
    video: dict[str, Scalar] = {
        "id": 2 * part.id - 1, "streamType": 1, "default": True, "codec": "h264", "index": 0, "bitrate": 3000,
        "bitDepth": 8, "codedHeight": 1080, "codedWidth": 1920, "frameRate": 24.0, "height": 1080, "level": 40,
        "profile": "high", "width": 1920, "displayTitle": "1080p (H.264)", "extendedDisplayTitle": "1080p (H.264)",
    }  # fmt: skip
    audio: dict[str, Scalar] = {
        "id": 2 * part.id, "streamType": 2, "selected": True, "default": True, "codec": "aac", "index": 1,
        "channels": 2, "bitrate": 110, "samplingRate": 44100, "displayTitle": "Unknown (AAC Stereo)",
        "extendedDisplayTitle": "Unknown (AAC Stereo)",
    }  # fmt: skip
    return [Node("Stream", video), Node("Stream", audio)]
