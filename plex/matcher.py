"""The published name of matching one library through plexapi, which lives in :mod:`matching.plexapi_matcher`."""

from matching.plexapi_matcher import find_plex_items_with_confidence
from matching.ranking import MatchConfidence

__all__ = ["MatchConfidence", "find_plex_items_with_confidence"]
