// Translate the keys in the plugin's answers (scene states, verdicts, kinds, scopes, Plex's field names) into the words
// that people read. A key that is missing here is shown as it is.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;

  // A scene's `state` in the answer of the operation `scene`.
  const SCENE_STATES = {
    "in step": "In sync with Plex",
    waiting: "Waiting to be written",
    doubtful: "Doubtful match",
    failed: "Failed",
    missing: "Not in Plex",
    "left alone": "Skipped",
    unknown: "Not checked yet",
  };
  // The states that get a mark on the scene's card.
  const CARD_MARKS = {
    waiting: "waiting to be written",
    doubtful: "doubtful match",
    failed: "failed",
  };
  // An event's `kind` in the answer of `history`: a verdict, or something else that happened.
  const EVENTS = {
    written: "written",
    unchanged: "unchanged",
    gated: "skipped, too little metadata",
    filtered: "skipped by the filters",
    "not in Plex": "not in Plex",
    ambiguous: "doubtful match",
    shared: "skipped, the item belongs to another scene",
    failed: "failed",
    restored: "restored",
    "given up": "failed for good",
    waits: "waiting",
    settled: "done",
    "gone from Stash": "deleted in Stash",
    "outage began": "Plex outage began",
    "outage ended": "Plex outage ended",
    reconciled: "Reconciliation",
    // Verdicts as version 0.1.0 stored them.
    pushed: "written",
    "nothing to change": "unchanged",
    "low confidence": "doubtful match",
    "shared item": "skipped, the item belongs to another scene",
    "given back": "restored",
  };
  // A row's `kind` in the answer of `attention`.
  const ROW_KINDS = { dead: "Failed", doubtful: "Doubtful match", missing: "Not in Plex" };
  const SCOPES = { all: "all scenes", recent: "the last 24 hours", recent_7days: "the last 7 days" };
  const WORKER_STATES = {
    ready: "idle",
    writing: "writing",
    "waiting for Plex": "waiting for Plex",
    "waiting for a person": "waiting for you",
  };
  const BREAKER_STATES = {
    open: "Plex failed several times in a row, so only one scene is tried now and then",
    "half-open": "trying one scene to see whether Plex works again",
  };
  // Plex's names of fields where people use others.
  const FIELDS = {
    originallyAvailableAt: "date",
    userRating: "rating",
    actor: "actors",
    genre: "genres",
    director: "directors",
    collection: "collections",
  };

  s2p.wording = {
    SCENE_STATES,
    CARD_MARKS,
    EVENTS,
    ROW_KINDS,
    SCOPES,
    WORKER_STATES,
    BREAKER_STATES,
    FIELDS,
  };
})();
