"""The server's identity and access rules (plex 1.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.plex.markup import Node, Scalar

MEDIA_TAGS: dict[str, Scalar] = {"mediaTagPrefix": "/system/bundle/media/flags/", "mediaTagVersion": 1775731696}

_ROOT_DIRECTORIES = (
    "actions", "activities", "butler", "channels", "clients", "devices", "diagnostics", "hubs", "library", "livetv",
    "media", "metadata", "neighborhood", "playQueues", "player", "playlists", "resources", "search", "server",
    "servers", "statistics", "system", "transcode", "updater", "user",
)  # fmt: skip


@dataclass
class Identity:
    """Name, version and owner of the server. ``subscription`` is Plex Pass; ``claimed`` False needs no token."""

    machine_identifier: str
    friendly_name: str
    version: str
    subscription: bool
    token: str
    claimed: bool = True
    guests: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    updated_at: int = 0

    def node(self) -> Node:
        """Return the answer to ``/identity``."""
        return Node(
            "MediaContainer",
            {
                "size": 0,
                "apiVersion": "1.2.0",
                "claimed": self.claimed,
                "machineIdentifier": self.machine_identifier,
                "version": self.version,
            },
        )

    def root(self) -> Node:
        """Return the answer to ``/``: capabilities and the list of directories."""
        children: list[Node | str] = [
            Node("Directory", {"count": 1, "key": name, "title": name}) for name in _ROOT_DIRECTORIES
        ]
        signed_in = self.claimed
        attributes: dict[str, Scalar] = {
            "size": len(children),
            **dict.fromkeys(("allowCameraUpload", "allowChannelAccess", "allowMediaDeletion"), True),
            **dict.fromkeys(("allowSharing", "allowSync", "allowTuners"), True),
            "apiVersion": "1.2.0",
            **dict.fromkeys(("backgroundProcessing", "certificate", "companionProxy"), True),
            "countryCode": "aus",
            "diagnostics": "logs,databases,streaminglogs",
            "eventStream": True,
            "friendlyName": self.friendly_name,
            **dict.fromkeys(("hubSearch", "itemClusters"), True),
            "livetv": 7,
            "machineIdentifier": self.machine_identifier,
            **dict.fromkeys(("mediaProviders", "multiuser"), True),
            "musicAnalysis": 2,
            "myPlex": True,
            "myPlexMappingState": "mapped" if signed_in else "unknown",
            "myPlexSigninState": "ok" if signed_in else "none",
            "myPlexSubscription": self.subscription,
            "myPlexUsername": "someone" if signed_in else None,
            "offlineTranscode": 1,
            "ownerFeatures": "pass" if self.subscription else "",
            "platform": "Linux",
            "platformVersion": "6.17.0-23-generic",
            "pluginHost": True,
            **dict.fromkeys(("pushNotifications", "readOnlyLibraries"), False),
            "streamingBrainABRVersion": 3,
            "streamingBrainVersion": 2,
            "sync": True,
            "transcoderActiveVideoSessions": 0,
            **dict.fromkeys(("transcoderAudio", "transcoderLyrics", "transcoderPhoto"), True),
            **dict.fromkeys(("transcoderSubtitles", "transcoderVideo"), True),
            "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000",
            "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
            "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080,1080,1080,1080",
            "updatedAt": self.updated_at,
            "updater": True,
            "version": self.version,
            "voiceSearch": True,
        }
        return Node("MediaContainer", attributes, children)

    def is_allowed_to_read(self, token: str | None) -> bool:
        """Return whether this token may read. On an unclaimed server every local client may, with any token."""
        return not self.claimed or token == self.token or token in self.guests

    def is_allowed_to_write(self, token: str | None) -> bool:
        """Return whether this token may edit: only the owner may; a shared user may only read (plex 1.2)."""
        return not self.claimed or token == self.token

    def knows_host(self, host: str | None) -> bool:
        """Return whether the Host header passes the DNS rebinding guard: addresses, localhost, plex.direct, configured
        names (plex 1.3)."""
        name = (host or "").rsplit("@", 1)[-1]
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        address = ":" in name or name.replace(".", "").isdigit()
        return address or name in {"", "localhost"} or name.endswith(".plex.direct") or name in self.hosts
