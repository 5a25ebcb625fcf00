"""The simulated Plex: its API for tests, its switches, and its logs."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType

from sandbox.http import HttpServer, Request, Response
from sandbox.plex import collection_routes, item_routes, listing_routes, picture_routes, server_routes, writer
from sandbox.plex.assumptions import Assumptions
from sandbox.plex.faults import Faults
from sandbox.plex.identity import Identity
from sandbox.plex.media_store import FileSpec, MediaStore
from sandbox.plex.model import Collection, Entry, Item, Section
from sandbox.plex.request_log import RequestLine, RequestLog, Write
from sandbox.plex.responses import StatusError, error_page, finalized
from sandbox.plex.routing import RouteContext, Router, Server
from sandbox.plex.scan import Scanner
from sandbox.plex.sorting import SortedItems

_ROUTER = Router(
    [
        *server_routes.ROUTES,
        *collection_routes.ROUTES,
        *item_routes.ROUTES,
        *picture_routes.ROUTES,
        *listing_routes.ROUTES,
    ]
)
_EDITS = ("PUT /library/sections/{k}/all", "PUT /library/metadata/{ids}")
_OPEN_TO_ALL = "GET /identity"


class PlexSim:
    """A Plex Media Server on a free loopback port, in this process, with its library in memory.

    Use it as a context manager or with :meth:`start` and :meth:`stop`; the library may be filled before. All methods
    may be called from any thread while it serves. ``port`` 0 takes a free one. ``clock`` gives epoch seconds for all
    times in answers. ``subscription`` is Plex Pass. ``claimed`` False serves without a token. ``compress`` sends gzip
    to clients that take it, as PMS does. ``tls`` serves https with this context.
    """

    def __init__(
        self,
        token: str = "plex-token",  # noqa: S107 - a stand-in, no secret
        *,
        replace_tags: bool = False,
        machine_identifier: str = "5a9d1f0c2b7e4836a1c4e07fd3b28a95c6e1f7d2",
        friendly_name: str = "Sandbox Plex",
        version: str = "1.43.1.10611-1e34174b1",
        subscription: bool = True,
        claimed: bool = True,
        url_limit: int = 65536,
        compress: bool = True,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.url_limit = url_limit
        self.compress = compress
        self.on_write: Callable[[Item], None] | None = None
        self.assumptions = Assumptions(replace_tags=replace_tags)
        self.faults = Faults()
        self.identity = Identity(machine_identifier, friendly_name, version, subscription, token, claimed)
        self.identity.updated_at = int(clock())
        self.prefs: dict[str, str | int | bool] = {
            "autoEmptyTrash": True,
            "FSEventLibraryUpdatesEnabled": True,
            "FSEventLibraryPartialScanEnabled": True,
            "ScheduledLibraryUpdatesEnabled": False,
            "ScheduledLibraryUpdateInterval": 3600,
            "secureConnections": 1,
            "allowedNetworks": "",
        }
        self._store = MediaStore(self.assumptions, clock)
        self._records = RequestLog()
        self.scanner = Scanner(self._store, lambda: bool(self.prefs["autoEmptyTrash"]))
        self._server = Server(
            identity=self.identity,
            store=self._store,
            orders=SortedItems(self._store),
            assumptions=self.assumptions,
            request_log=self._records,
            faults=self.faults,
            scanner=self.scanner,
            prefs=self.prefs,
            written=self._written,
        )
        self._http = HttpServer(self._handle, port=port, tls=tls)
        self.faults.bind(self._http.start, self._http.stop)

    def start(self) -> None:
        """Open the port."""
        self._http.start()

    def stop(self) -> None:
        """Close the port, let hanging requests go, end scans."""
        self._http.stop()
        self.faults.clear()
        self.scanner.stop()

    def __enter__(self) -> PlexSim:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address, without a trailing slash. Known only after the start."""
        return self._http.url

    # the library

    def add_section(
        self,
        title: str,
        locations: Iterable[str] = ("/data",),
        type: str = "movie",
        agent: str = "tv.plex.agents.none",
        scanner: str | None = None,
        language: str | None = None,
    ) -> Section:
        """Add a new, empty library; keys count from 1."""
        return self._store.add_section(title, locations, type, agent, scanner, language)

    def add_item(
        self,
        section: Section,
        files: Iterable[FileSpec],
        title: str | None = None,
        *,
        stacked: bool = False,
        optimized: Iterable[FileSpec] = (),
    ) -> Item:
        """Add an item as a scan would, titled after its first file.

        ``files`` are (path as the server sees it, bytes, seconds); several are several versions, or with ``stacked``
        the parts of one. ``optimized`` adds versions made for devices.
        """
        return self._store.add_item(section, files, title, stacked, optimized)

    def load(self, section: Section, files: Iterable[FileSpec]) -> None:
        """Add one item for each file."""
        for file in files:
            self._store.add_item(section, [file])

    def remove_item(self, rating_key: int) -> None:
        """Remove an item, as if its file had gone and the trash been emptied. Raise KeyError."""
        self._store.remove_item(self._store.items[rating_key])

    def move_file(self, old: str, new: str) -> Item:
        """Move a file that PMS does not recognise: its item goes, and a new one with the agent's values comes.

        Raise KeyError if no item has ``old``.
        """
        with self._store.lock:
            item = self.find(old)
            if item is None:
                raise KeyError(old)
            part = next(part for part in item.parts() if part.file == old)
            self._store.remove_item(item)
            return self._store.add_item(item.section, [(new, part.size, part.duration / 1000)])

    @property
    def sections(self) -> list[Section]:
        return list(self._store.sections.values())

    @property
    def items(self) -> list[Item]:
        """All items of all sections, oldest first."""
        with self._store.lock:
            return list(self._store.items.values())

    def item(self, rating_key: int) -> Item:
        """Return the live item. Raise KeyError."""
        return self._store.items[rating_key]

    def find(self, path: str) -> Item | None:
        """Return the first item with a part at exactly this path."""
        with self._store.lock:
            return next(iter(self._store.files.items_at(path)), None)

    def collections(self, section: Section) -> dict[str, list[Item]]:
        """Return the section's collections by title, with their members."""
        with self._store.lock:
            pairs = self._store.collection_objects.all(section, self._store.members(section))
            return {found.title: members for found, members in pairs}

    def collection(self, section: Section, title: str) -> Collection | None:
        """Return the live collection of this title."""
        self.collections(section)
        return self._store.collection_objects.named(section, title)

    def agent_values(self, item: Item) -> dict[str, object]:
        """Return what a refresh writes to the item's unlocked fields, by the names of the edit parameters."""
        return writer.agent_values(item)

    @property
    def disk(self) -> dict[str, tuple[int, float]] | None:
        """The files that scans find: path to (bytes, seconds). None: scans check nothing."""
        return self.scanner.disk

    @disk.setter
    def disk(self, files: dict[str, tuple[int, float]] | None) -> None:
        self.scanner.disk = files

    # switches

    @property
    def replace_tags(self) -> bool:
        """Indexed tags replace the list (True) or add to it (False, the better evidence) (plex 4.4)."""
        return self.assumptions.replace_tags

    @replace_tags.setter
    def replace_tags(self, on: bool) -> None:
        self.assumptions.replace_tags = on

    @property
    def file_lookup(self) -> str:
        """How ``file=`` is read: ``basename`` or ``folder`` (plex 3.4)."""
        return self.assumptions.file_lookup

    @file_lookup.setter
    def file_lookup(self, reading: str) -> None:
        if reading not in {"basename", "folder"}:
            raise ValueError(reading)
        self.assumptions.file_lookup = reading

    @property
    def auto_empty_trash(self) -> bool:
        """Whether a scan removes vanished items at once or leaves them in the trash."""
        return bool(self.prefs["autoEmptyTrash"])

    @auto_empty_trash.setter
    def auto_empty_trash(self, on: bool) -> None:
        self.prefs["autoEmptyTrash"] = on

    # logs

    @property
    def requests(self) -> list[RequestLine]:
        """Every request answered since the last reset."""
        return self._records.requests

    @property
    def counters(self) -> Counter[str]:
        """Requests that arrived, by method and route, e.g. ``PUT /library/sections/{k}/all``."""
        return self._records.counters

    @property
    def hidden_reloads(self) -> int:
        """GETs of a single item with ``includeBandwidths``: plexapi reloads of a partial item (plex 3.6)."""
        return self._records.hidden_reloads

    @property
    def puts(self) -> int:
        """Edit PUTs since the last reset, including refused ones."""
        return sum(self._records.counters[kind] for kind in _EDITS)

    @property
    def writes(self) -> list[Write]:
        """Applied edits and ratings, in order."""
        return self._records.writes

    @property
    def warnings(self) -> list[str]:
        """What no careful client would send (edits without an id, unknown filters), and bugs of the simulator."""
        return self._records.warnings

    def reset_counters(self) -> None:
        """Forget requests and counts; writes and warnings stay."""
        self._records.reset_counters()

    def _written(self, entries: Iterable[Entry]) -> None:
        callback = self.on_write
        if callback is not None:
            for entry in entries:
                if isinstance(entry, Item):
                    callback(entry)

    def _handle(self, request: Request) -> Response:
        begun = time.monotonic()
        found = _ROUTER.find(request.method, request.path)
        kind = found[0].kind if found else f"{request.method} (unknown)"
        single = kind == "GET /library/metadata/{ids}" and "," not in found[1]["ids"] if found else False
        self._records.arrived(kind, request.query, single)

        def answer(request: Request) -> Response:
            try:
                self._admit(request, kind)
                if found is None:
                    raise StatusError(404)
                route, wild = found
                return route.handler(RouteContext(request, self._server, wild))
            except StatusError as error:
                return error_page(error)
            except Exception as error:
                # record the bug, so that a test does not look for it in its client
                self._records.warn(f"bug in the simulator: {error!r} at {kind}?{request.raw_query}")
                raise

        response = self.faults.apply(request, answer)
        status = 0 if response.drop else response.status
        duration = time.monotonic() - begun
        self._records.answered(RequestLine(request.method, request.path, request.query, status, begun, duration))
        return finalized(request, response, self.compress)

    def _admit(self, request: Request, kind: str) -> None:
        identity = self.identity
        line = len(request.method) + len(request.path) + len(request.raw_query) + len("  ? HTTP/1.1")
        if line > self.url_limit:
            raise StatusError(400)
        if not identity.knows_host(request.header("host")):
            raise StatusError(401)
        if kind == _OPEN_TO_ALL:
            return
        token = request.header("x-plex-token") or dict(request.query).get("X-Plex-Token")
        if not identity.is_allowed_to_read(token):
            raise StatusError(401)
        write = request.method in {"PUT", "POST", "DELETE"}
        for_owners = kind == "GET /:/prefs" or (write and "/:/" not in kind)
        if for_owners and not identity.is_allowed_to_write(token):
            raise StatusError(403)
