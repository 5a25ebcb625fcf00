// A small mark on the cards of scenes that are not in step. Stash hands over one card at a time: the questions of a page
// of cards are collected into one operation.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const COLLECT = 80;
  const MOST = 200;
  const AGAIN = 15000;
  const MARKED = {
    waiting: "waits to be written to Plex",
    doubtful: "the match in Plex is doubtful",
    failed: "could not be written to Plex",
  };

  // id -> {version, answer, at}: a scene is asked about anew when it was changed, when it comes into sight and the answer
  // is old, and when this page did something about it. ``at`` is the time of the answer, before that of the question.
  const known = new Map();
  const watchers = new Map();
  let wanted = new Set();
  let timer = null;
  let later = null;

  function want(id) {
    wanted.add(id);
    if (timer === null) timer = window.setTimeout(collect, COLLECT);
  }

  async function collect() {
    timer = null;
    const ids = [...wanted].slice(0, MOST);
    wanted = new Set([...wanted].slice(MOST));
    if (wanted.size) timer = window.setTimeout(collect, COLLECT);
    if (!ids.length) return;
    // What is forgotten meanwhile is asked for again: this answer would be that from before.
    const entries = ids.map((id) => known.get(id) || {});
    try {
      if (!(await s2p.shown()).show_marks) return;
      const answer = await s2p.ask("scene", { ids: ids.map(Number) });
      ids.forEach((id, index) => {
        Object.assign(entries[index], { answer: answer.scenes[id] || null, at: Date.now() });
        (watchers.get(id) || new Set()).forEach((tell) => tell());
      });
    } catch (error) {
      // A mark that cannot be found out is no mark; the page says what is wrong. The next sight of the card asks again.
      entries.forEach((entry) => (entry.at = 0));
    }
    lookLater();
  }

  // What waits is looked at once more, all in one question, as long as its card is there to be seen.
  function lookLater() {
    window.clearTimeout(later);
    const waiting = [...watchers.keys()].filter((id) => ((known.get(id) || {}).answer || {}).state === "waiting");
    if (!waiting.length) return;
    later = window.setTimeout(() => {
      if (document.hidden) lookLater();
      else waiting.filter((id) => watchers.has(id)).forEach(want);
    }, AGAIN);
  }

  function renew(id, version) {
    const entry = known.get(id);
    known.set(id, { version: version, answer: entry ? entry.answer : null, at: Date.now() });
    want(id);
  }

  // Something was done about these scenes (ids as text; null: about any): what is known of them counts no more.
  s2p.forget = function (ids) {
    (ids || [...known.keys()]).forEach((id) => {
      const entry = known.get(id);
      if (entry && watchers.has(id)) renew(id, entry.version);
      else known.delete(id);
    });
  };

  function watch(scene, tell) {
    const id = String(scene.id);
    const entry = known.get(id);
    if (!entry || entry.version !== scene.updated_at || Date.now() - entry.at > AGAIN) renew(id, scene.updated_at);
    if (!watchers.has(id)) watchers.set(id, new Set());
    watchers.get(id).add(tell);
    return () => {
      const all = watchers.get(id);
      all.delete(tell);
      if (!all.size) watchers.delete(id);
    };
  }

  s2p.part("card marks", function (h, B, R) {
    const Mark = s2p.guarded(function Mark({ scene }) {
      const [, turn] = R.useState(0);
      R.useEffect(() => watch(scene, () => turn((now) => now + 1)), [scene.id, scene.updated_at]);
      const answer = (known.get(String(scene.id)) || {}).answer;
      if (!answer || !MARKED[answer.state]) return null;
      const why = answer.reason || (answer.waiting && answer.waiting.error);
      const short = why && why.length > 200 ? why.slice(0, 200) + "\u2026" : why;
      const words = "Plex: " + MARKED[answer.state] + (short ? ": " + short : "");
      return h("span", {
        className: "stash2plex-mark",
        "data-state": answer.state,
        title: words,
        role: "img",
        "aria-label": words,
      });
    }, true);

    s2p.api.patch.instead("SceneCard.Overlays", function (props) {
      const next = arguments[arguments.length - 1];
      const scene = props && props.scene;
      return h(
        R.Fragment,
        null,
        next.apply(null, Array.prototype.slice.call(arguments, 0, -1)),
        scene && scene.id && h(Mark, { scene: scene }),
      );
    });
  });
})();
