// A small mark on the cards of scenes that are waiting, doubtful or failed.
// Stash renders one card at a time, so the scenes of a whole page are collected into one operation.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  const COLLECT_MS = 80;
  const MAX_IDS = 200;
  const MAX_AGE_MS = 15000;
  const MAX_REASON_CHARS = 200;

  // Scene id -> {version, scene, loadedAt}, where `scene` is from the answer of the operation. A scene is loaded again when it has changed in Stash, when its card appears
  // and the state is old, and after this page has done something to it. `loadedAt` is the time of the answer, or of the
  // request while there is no answer yet.
  const cache = new Map();
  const listeners = new Map();
  let queuedIds = new Set();
  let collectTimer = null;
  let refreshTimer = null;

  function queueLoad(id) {
    queuedIds.add(id);
    if (collectTimer === null) collectTimer = window.setTimeout(loadQueued, COLLECT_MS);
  }

  async function loadQueued() {
    collectTimer = null;
    const ids = [...queuedIds].slice(0, MAX_IDS);
    queuedIds = new Set([...queuedIds].slice(MAX_IDS));
    if (queuedIds.size) collectTimer = window.setTimeout(loadQueued, COLLECT_MS);
    if (!ids.length) return;
    // An entry that is replaced in the meantime is loaded again; this answer, which is then too old, does not reach it.
    const entries = ids.map((id) => cache.get(id) || {});
    try {
      if (!(await s2p.loadDisplaySettings()).show_marks) return;
      const answer = await s2p.runOperation("scene", { ids: ids.map(Number) });
      ids.forEach((id, index) => {
        Object.assign(entries[index], { scene: answer.scenes[id] || null, loadedAt: Date.now() });
        (listeners.get(id) || new Set()).forEach((notify) => notify());
      });
    } catch (error) {
      // No mark is shown, and the page says what is wrong. The next time the card appears it is tried again.
      entries.forEach((entry) => (entry.loadedAt = 0));
    }
    scheduleRefresh();
  }

  // While cards of waiting scenes are visible, load all of them again in one operation.
  function scheduleRefresh() {
    window.clearTimeout(refreshTimer);
    const waitingIds = [...listeners.keys()].filter((id) => ((cache.get(id) || {}).scene || {}).state === "waiting");
    if (!waitingIds.length) return;
    refreshTimer = window.setTimeout(() => {
      if (document.hidden) scheduleRefresh();
      else waitingIds.filter((id) => listeners.has(id)).forEach(queueLoad);
    }, MAX_AGE_MS);
  }

  function reload(id, version) {
    const entry = cache.get(id);
    cache.set(id, { version: version, scene: entry ? entry.scene : null, loadedAt: Date.now() });
    queueLoad(id);
  }

  // Drop what is known of these scenes (ids as strings; null for all), because something was done to them.
  s2p.forgetSceneStates = function (ids) {
    (ids || [...cache.keys()]).forEach((id) => {
      const entry = cache.get(id);
      if (entry && listeners.has(id)) reload(id, entry.version);
      else cache.delete(id);
    });
  };

  function subscribe(scene, notify) {
    const id = String(scene.id);
    const entry = cache.get(id);
    const isCurrent = entry && entry.version === scene.updated_at && Date.now() - entry.loadedAt <= MAX_AGE_MS;
    if (!isCurrent) reload(id, scene.updated_at);
    if (!listeners.has(id)) listeners.set(id, new Set());
    listeners.get(id).add(notify);
    return () => {
      const remaining = listeners.get(id);
      remaining.delete(notify);
      if (!remaining.size) listeners.delete(id);
    };
  }

  s2p.define("card marks", function (h, Bootstrap, React) {
    const Mark = s2p.withErrorBoundary(function Mark({ scene }) {
      const [, setRenders] = React.useState(0);
      React.useEffect(() => subscribe(scene, () => setRenders((before) => before + 1)), [scene.id, scene.updated_at]);
      const known = (cache.get(String(scene.id)) || {}).scene;
      const label = known && s2p.wording.CARD_MARKS[known.state];
      if (!label) return null;
      const reason = known.reason || (known.waiting && known.waiting.error);
      const shortReason = reason && reason.length > MAX_REASON_CHARS ? reason.slice(0, MAX_REASON_CHARS) + "…" : reason;
      const title = "Plex: " + label + (shortReason ? ". " + format.sentence(format.capitalize(shortReason)) : "");
      return h("span", {
        className: "stash2plex-mark",
        "data-state": known.state,
        title: title,
        role: "img",
        "aria-label": title,
      });
    }, true);

    s2p.api.patch.instead("SceneCard.Overlays", function (props) {
      const renderOriginal = arguments[arguments.length - 1];
      const scene = props && props.scene;
      return h(
        React.Fragment,
        null,
        renderOriginal.apply(null, Array.prototype.slice.call(arguments, 0, -1)),
        scene && scene.id && h(Mark, { scene: scene }),
      );
    });
  });
})();
