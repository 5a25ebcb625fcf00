"""The sync of one scene on its way through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from common.errors import PermanentError
from common.scene import SceneFile
from common.verdicts import Verdict
from matching.ranking import Match, MatchConfidence
from metadata.desired_state import DesiredState
from metadata.diff import Change
from metadata.fingerprint import fingerprint
from plex.items import FullItem
from stash.scenes import Scene
from state.manual_matches import ManualMatch
from sync_queue.job import Job


@dataclass
class SceneSync:
    """The sync of one scene, filled in step by step until it has a verdict or an error.

    ``desired`` is the desired state of its items, ``rating`` the rating that was sent. ``pictures_error`` is why their
    pictures are left to do although the text is done. ``manual_match`` is the user's choice; if its file was found in
    another item, it names that one. ``remarks`` are for the user, of a sync that succeeded or is not retried.
    """

    job: Job
    scene: Scene | None = None
    match: Match | None = None
    manual_match: ManualMatch | None = None
    evidence: str = ""
    items: list[FullItem] = field(default_factory=list)
    desired: DesiredState | None = None
    started_at: float = 0.0
    wrote: bool = False
    rating: Change[float | None] | None = None
    verdict: Verdict | None = None
    reason: str = ""
    error: BaseException | None = None
    pictures_error: BaseException | None = None
    remarks: list[str] = field(default_factory=list)

    @cached_property
    def scene_id(self) -> int:
        """The id of the scene. Raise PermanentError if the job is not about one."""
        if self.job.scene_id is None:
            raise PermanentError(f"The job {self.job.job_key} is not about a scene")
        return self.job.scene_id

    @property
    def is_open(self) -> bool:
        """Whether there is neither a verdict nor an error yet."""
        return self.verdict is None and self.error is None and not (self.scene and self.scene.gone)

    @property
    def version(self) -> float:
        """The sync timestamp: the ``updated_at`` that was read, else the time before the write."""
        updated_at = self.scene.updated_at if self.scene else None
        return self.started_at if updated_at is None else updated_at

    @property
    def keys(self) -> list[int]:
        """The rating keys of the matched items."""
        return [ranked.candidate.rating_key for ranked in self.match.chosen] if self.match is not None else []

    @property
    def known_scene(self) -> Scene:
        """The scene as it was read. Raise PermanentError if it was not."""
        if self.scene is None:
            raise PermanentError(f"Scene {self.scene_id} was never read")
        return self.scene

    @property
    def files(self) -> list[SceneFile]:
        """The scene's files, primary first."""
        return self.known_scene.files

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the desired state, "" if there is none."""
        return fingerprint(self.desired) if self.desired is not None else ""

    @property
    def is_guess(self) -> bool:
        """Whether the match is not proven, so that a scene with a proof gets its items."""
        return self.match is not None and self.match.confidence is MatchConfidence.LOW

    def proof_of(self, item: FullItem) -> str:
        """Return the path of the file that proves an item to be the scene's, "" if none does."""
        proofs = {ranked.candidate.rating_key: ranked.part.path for ranked in self.match.ranked} if self.match else {}
        return proofs.get(item.rating_key, "")
