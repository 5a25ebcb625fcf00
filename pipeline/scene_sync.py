"""One job on its way through the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from common.errors import PermanentError
from common.scene import SceneFile
from common.verdicts import Verdict
from matching.ranking import Match
from metadata.desired_state import DesiredState
from metadata.diff import Change
from metadata.fingerprint import fingerprint
from pipeline.scene_reader import Scene
from plex.items import FullItem
from state.manual_matches import ManualMatch
from sync_queue.job import Job


@dataclass
class SceneSync:
    """Filled in step by step, ending with a verdict or an error.

    ``wish`` is what its items should
    be. ``pictures_error`` is why their pictures are still to do, though the text is done. ``manual_match`` is the
    user's choice, ``renewed_manual_match`` the same where its file was found in another item. ``remarks`` are what a
    person should know of it though it succeeded, or is not tried again.
    """

    job: Job
    scene: Scene | None = None
    match: Match | None = None
    manual_match: ManualMatch | None = None
    renewed_manual_match: ManualMatch | None = None
    evidence: str = ""
    items: list[FullItem] = field(default_factory=list)
    wish: DesiredState | None = None
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
        """The scene the job is about."""
        if self.job.scene_id is None:
            raise PermanentError(f"The job {self.job.job_key} is not about a scene")
        return self.job.scene_id

    @property
    def open(self) -> bool:
        """Whether nothing has decided on it yet."""
        return self.verdict is None and self.error is None and not (self.scene and self.scene.gone)

    @property
    def version(self) -> float:
        """What becomes of the sync timestamp: the ``updated_at`` that was read, else the time before the write."""
        known = self.scene.updated_at if self.scene else None
        return self.started_at if known is None else known

    @property
    def keys(self) -> list[int]:
        """The rating keys of the items that were chosen."""
        return [ranked.candidate.rating_key for ranked in self.match.chosen] if self.match is not None else []

    @property
    def known_scene(self) -> Scene:
        """The scene as it was read. Raises PermanentError where it never was."""
        if self.scene is None:
            raise PermanentError(f"Scene {self.scene_id} was never read")
        return self.scene

    @property
    def files(self) -> list[SceneFile]:
        """The scene's files, primary first."""
        return self.known_scene.files

    @cached_property
    def fingerprint(self) -> str:
        """That of the wish, "" where there is none."""
        return fingerprint(self.wish) if self.wish is not None else ""

    def proof_of(self, item: FullItem) -> str:
        """The file of an item that proved it to be the scene's, "" where none did."""
        proofs = {one.candidate.rating_key: one.part.path for one in self.match.ranked} if self.match else {}
        return proofs.get(item.rating_key, "")
