// The section "Status": one sentence that says whether everything is in sync, the progress, and a few facts.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;

  // Return [kind, text]; kind is "ok", "busy" or "problem".
  function summarize(status) {
    const now = status.now || Date.now() / 1000;
    const waiting = s2p.status.queueLength(status);
    const counts = [];
    if (waiting) counts.push(format.number(waiting) + (waiting === 1 ? " is waiting." : " are waiting."));
    if (status.needs_you)
      counts.push(format.number(status.needs_you) + (status.needs_you === 1 ? " needs you." : " need you."));
    const withCounts = (text) => [text].concat(counts).join(" ");
    const outage = status.outage;
    if (outage) {
      // In whole minutes, so that a screen reader does not read it out every second.
      const minutes = Math.floor((now - outage.began) / 60);
      const length =
        minutes < 1
          ? "less than a minute"
          : minutes < 90
            ? format.count(minutes, "minute")
            : format.timeSpan(minutes * 60);
      const next = waiting
        ? " " + format.count(waiting, "scene is", "scenes are") + " waiting and will be written when Plex is back."
        : "";
      return ["problem", "Plex has been unavailable for " + length + ": " + format.sentence(outage.reason) + next];
    }
    if (status.enabled === false) return ["problem", withCounts("Paused: Enabled is off in the settings.")];
    if (status.attention) return ["problem", format.sentence(status.attention)];
    const inSync = format.count(status.in_step || 0, "scene is", "scenes are") + " in sync with Plex";
    const kind = waiting ? "busy" : status.needs_you ? "problem" : "ok";
    if (status.last_full) {
      const when = format.relativeDate(status.last_full, status.now);
      return [kind, withCounts(inSync + " as of the last full reconciliation, " + when + ".")];
    }
    const notReconciled = "Not fully reconciled yet.";
    if (status.in_step) return [kind, withCounts(notReconciled + " " + inSync + " as of the last write.")];
    return [
      kind,
      withCounts(notReconciled) + " Run the task Reconcile Library (All) below to compare Stash with Plex.",
    ];
  }

  function describeServer(status) {
    const server = status.server;
    if (!server || !server.name) return "not connected yet";
    return server.version ? server.name + ", version " + server.version : server.name;
  }

  function describeWorker(status) {
    const worker = status.drainer || {};
    if (!worker.alive) return "not running; the next save starts it";
    let text = s2p.wording.WORKER_STATES[worker.state] || worker.state || "running";
    if (worker.since && worker.state !== "ready")
      text += " for " + format.timeSpan((status.now || Date.now() / 1000) - worker.since);
    return worker.reason ? text + ": " + worker.reason : text;
  }

  function describeNextRun(status) {
    if (!status.next_run) return "at the next start of Stash (Reconcile interval is never)";
    return status.next_run <= (status.now || 0) ? "due now" : format.relativeDate(status.next_run, status.now);
  }

  s2p.summarizeStatus = summarize;
  s2p.define("section status", function (h, Bootstrap, React) {
    const Fact = ({ name, children }) =>
      h(React.Fragment, null, h("dt", null, name), h("dd", null, h(s2p.IsolatedText, null, children)));

    function Progress({ status, largestQueue }) {
      const left = s2p.status.queueLength(status);
      if (!left || !status.moving) return null;
      const done = Math.max(0, largestQueue - left);
      const percent = largestQueue ? Math.round((100 * done) / largestQueue) : 0;
      const worker = status.drainer || {};
      const facts = [format.count(left, "scene") + " left"];
      if (status.queue.in_flight) facts.push(format.number(status.queue.in_flight) + " being written");
      if (worker.rate) facts.push(worker.rate.toLocaleString("en-GB", { maximumFractionDigits: 1 }) + " per second");
      if (worker.left) facts.push("about " + format.timeSpan(worker.left) + " remaining");
      return h(
        "div",
        { className: "s2p-progress" },
        h(s2p.ProgressBar, { percent: percent, name: "Scenes written" }),
        h("p", { className: "text-muted" }, facts.join(", ")),
      );
    }

    // Links to a few of the scenes that are being written.
    function ScenesBeingWritten({ status }) {
      const ids = status.writing || [];
      const others = ((status.queue || {}).in_flight || 0) - ids.length;
      return h(
        React.Fragment,
        null,
        ids.map((id, index) => h(React.Fragment, { key: id }, index > 0 && ", ", h(s2p.SceneLink, { id: id }))),
        others > 0 && " and " + format.number(others) + " more",
      );
    }

    function StatusFacts({ status, largestQueue }) {
      const worker = status.drainer || {};
      const breaker = s2p.wording.BREAKER_STATES[worker.breaker];
      const lastFull = status.last_full ? format.relativeDate(status.last_full, status.now) : "never";
      const [kind, text] = summarize(status);
      return h(
        React.Fragment,
        null,
        h("p", { className: "s2p-summary", "data-state": kind, role: "status" }, h(s2p.IsolatedText, null, text)),
        h(Progress, { status: status, largestQueue: largestQueue }),
        h(
          "dl",
          { className: "s2p-facts" },
          h(Fact, { name: "Plex" }, describeServer(status)),
          h(Fact, { name: "Worker" }, describeWorker(status)),
          (status.writing || []).length > 0 &&
            h(Fact, { name: "Being written" }, h(ScenesBeingWritten, { status: status })),
          breaker && h(Fact, { name: "Slowed down" }, breaker),
          h(Fact, { name: "Next reconciliation" }, describeNextRun(status)),
          h(Fact, { name: "Last full reconciliation" }, lastFull),
        ),
      );
    }

    s2p.StatusSection = function StatusSection({ store }) {
      const [busy, setBusy] = React.useState(false);
      const refresh = () => {
        setBusy(true);
        const finish = () => setBusy(false);
        s2p.status.refresh().then(finish, finish);
      };
      return h(
        s2p.Section,
        {
          name: "status",
          title: "Status",
          buttons: h(
            Bootstrap.Button,
            { variant: "secondary", size: "sm", onClick: refresh, disabled: busy },
            "Refresh",
          ),
        },
        h(s2p.ErrorMessage, { error: store.error }),
        store.status
          ? h(StatusFacts, { status: store.status, largestQueue: store.largestQueue })
          : !store.error && h(s2p.Loading),
      );
    };
  });
})();
