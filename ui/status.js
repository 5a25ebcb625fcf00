// How things are: one store for the page and both copies of the icon, which asks as seldom as it can.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const MOVING = 2000;
  const STILL = 15000;
  const ICON = 300000;
  const WAKE = 60000;

  const store = { status: null, problem: null, at: 0, most: 0 };
  const watchers = new Set();
  let pages = 0;
  let timer = null;
  let asking = null;
  let wanted = false;
  let woken = 0;

  const undone = (status) => (status && status.queue ? status.queue.waiting + status.queue.in_flight : 0);
  // What the worker waits for a person for (a wrong token, a library that is gone), as a sentence. A pause that somebody
  // chose is not among it.
  const waitsFor = (status) =>
    status && status.enabled !== false && status.drainer && status.drainer.state === "waiting for a person"
      ? status.attention || status.drainer.reason || ""
      : "";
  // How many things a person is needed for.
  const needs = (status) => (status ? status.needs_you + (waitsFor(status) ? 1 : 0) : 0);
  const watched = () => watchers.size > 0 && !document.hidden;

  function pause() {
    if (!pages) return ICON;
    return !store.problem && store.status && store.status.moving ? MOVING : STILL;
  }

  function arrange() {
    window.clearTimeout(timer);
    if (!watched() || asking) return;
    const due = store.at + (wanted ? MOVING : pause());
    timer = window.setTimeout(look, Math.max(0, store.at ? due - Date.now() : 0));
  }

  function look() {
    window.clearTimeout(timer);
    if (!asking) {
      wanted = false;
      asking = s2p
        .ask("status")
        .then(
          (status) => {
            Object.assign(store, { status: status, problem: null, most: most(status) });
            wake(status);
          },
          (problem) => Object.assign(store, { problem: problem }),
        )
        .then(() => {
          asking = null;
          store.at = Date.now();
          watchers.forEach((tell) => tell());
          arrange();
        });
    }
    return asking;
  }

  // Rows wait and nobody works on them: a killed worker, a restarted container. Somebody looks, so it is started.
  function wake(status) {
    const asleep = undone(status) > 0 && status.drainer && !status.drainer.alive;
    if (!asleep || !pages || Date.now() - woken < WAKE) return;
    woken = Date.now();
    s2p.ask("wake").then(soon, () => {});
  }

  // The longest that the queue was since it was empty: what a bar of progress is measured by.
  function most(status) {
    const now = undone(status);
    return now ? Math.max(now, store.most) : 0;
  }

  // What is known now cannot be what was asked for before: a question on its way is waited for, and asked anew.
  function lookAgain() {
    return asking ? asking.then(look) : look();
  }

  // Something has moved that the store has not seen: ask soon, but never more often than while something moves.
  function soon() {
    wanted = true;
    arrange();
  }

  function watch(tell, isPage) {
    watchers.add(tell);
    if (isPage) pages += 1;
    arrange();
    return () => {
      watchers.delete(tell);
      if (isPage) pages -= 1;
      arrange();
    };
  }

  document.addEventListener("visibilitychange", arrange);

  s2p.status = { store, look: lookAgain, soon, undone, waitsFor, needs };
  s2p.part("useStatus", function (h, B, R) {
    s2p.useStatus = function (isPage) {
      const [, turn] = R.useState(0);
      R.useEffect(() => watch(() => turn((now) => now + 1), isPage), [isPage]);
      return store;
    };
  });
})();
