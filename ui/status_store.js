// Keep the plugin's status in one store for the page and both copies of the top bar icon, and refresh it as rarely as
// possible.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const ACTIVE_MS = 2000;
  const IDLE_MS = 15000;
  const ICON_ONLY_MS = 300000;
  const WORKER_START_MS = 60000;

  const store = { status: null, error: null, loadedAt: 0, largestQueue: 0 };
  const listeners = new Set();
  let openPages = 0;
  let timer = null;
  let loading = null;
  let isRefreshWanted = false;
  let workerStartedAt = 0;

  const queueLength = (status) => (status && status.queue ? status.queue.waiting + status.queue.in_flight : 0);
  // Why the worker waits for the user (a wrong token, a missing library), as a sentence; empty otherwise. Pausing the
  // plugin in the settings does not count.
  const blockedReason = (status) =>
    status && status.enabled !== false && status.drainer && status.drainer.state === "waiting for a person"
      ? status.attention || status.drainer.reason || ""
      : "";
  const needsYouCount = (status) => (status ? status.needs_you + (blockedReason(status) ? 1 : 0) : 0);
  const isWatched = () => listeners.size > 0 && !document.hidden;

  function refreshInterval() {
    if (!openPages) return ICON_ONLY_MS;
    return !store.error && store.status && store.status.moving ? ACTIVE_MS : IDLE_MS;
  }

  function schedule() {
    window.clearTimeout(timer);
    if (!isWatched() || loading) return;
    const dueAt = store.loadedAt + (isRefreshWanted ? ACTIVE_MS : refreshInterval());
    timer = window.setTimeout(load, Math.max(0, store.loadedAt ? dueAt - Date.now() : 0));
  }

  function load() {
    window.clearTimeout(timer);
    if (!loading) {
      isRefreshWanted = false;
      loading = s2p
        .runOperation("status")
        .then(
          (status) => {
            Object.assign(store, { status: status, error: null, largestQueue: largestQueue(status) });
            startWorkerIfNeeded(status);
          },
          (error) => Object.assign(store, { error: error }),
        )
        .then(() => {
          loading = null;
          store.loadedAt = Date.now();
          listeners.forEach((notify) => notify());
          schedule();
        });
    }
    return loading;
  }

  // Jobs are waiting without a worker, for example after it was killed or a container restarted.
  function startWorkerIfNeeded(status) {
    const isStopped = queueLength(status) > 0 && status.drainer && !status.drainer.alive;
    if (!isStopped || !openPages || Date.now() - workerStartedAt < WORKER_START_MS) return;
    workerStartedAt = Date.now();
    s2p.runOperation("wake").then(refreshSoon, () => {});
  }

  // The longest queue since it was last empty: 100 per cent of the progress bar.
  function largestQueue(status) {
    const length = queueLength(status);
    return length ? Math.max(length, store.largestQueue) : 0;
  }

  // Load the status as it is now: a request that is on its way may be older, so another one follows it.
  function refresh() {
    return loading ? loading.then(load) : load();
  }

  // Load soon, because something has changed; never more often than in active times.
  function refreshSoon() {
    isRefreshWanted = true;
    schedule();
  }

  function subscribe(notify, isPage) {
    listeners.add(notify);
    if (isPage) openPages += 1;
    schedule();
    return () => {
      listeners.delete(notify);
      if (isPage) openPages -= 1;
      schedule();
    };
  }

  document.addEventListener("visibilitychange", schedule);

  s2p.status = { store, refresh, refreshSoon, queueLength, blockedReason, needsYouCount };
  s2p.define("status store", function (h, Bootstrap, React) {
    s2p.useStatus = function (isPage) {
      const [, setRenders] = React.useState(0);
      React.useEffect(() => subscribe(() => setRenders((before) => before + 1), isPage), [isPage]);
      return store;
    };
  });
})();
