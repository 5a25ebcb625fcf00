// "Now": one sentence that says whether all is well, and the few facts behind it.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const WORKER = {
    ready: "ready",
    writing: "writing",
    "waiting for Plex": "waits until Plex answers",
    "waiting for a person": "waits for you",
  };
  const BREAKER = {
    open: "Plex failed several times in a row, so it is tried with one scene now and then",
    "half-open": "one scene is being tried to see whether Plex is back",
  };

  // What is said first, and how it stands: "well", "busy" or "bad".
  function sentence(status) {
    const queue = status.queue || {};
    const waiting = (queue.waiting || 0) + (queue.in_flight || 0);
    const tail = [];
    if (waiting) tail.push(waiting === 1 ? "1 waits" : w.number(waiting) + " wait");
    if (status.needs_you) tail.push(status.needs_you === 1 ? "1 needs you" : w.number(status.needs_you) + " need you");
    const rest = tail.length ? "; " + tail.join("; ") : "";
    const outage = status.outage;
    if (outage) {
      // In whole minutes: whoever has the page read out does not want to hear each second of it.
      const minutes = Math.floor(((status.now || Date.now() / 1000) - outage.began) / 60);
      const long =
        minutes < 1 ? "less than a minute" : minutes < 90 ? w.count(minutes, "minute") : w.span(minutes * 60);
      const kept = waiting
        ? " " + w.count(waiting, "scene waits and is", "scenes wait and are") + " written as soon as it is back."
        : "";
      return ["bad", "Plex has been away for " + long + ": " + w.sentence(outage.reason) + kept];
    }
    if (status.enabled === false) return ["bad", "Paused: Enabled is switched off in the settings" + rest + "."];
    if (status.attention) return ["bad", w.sentence(status.attention)];
    const same = w.count(status.in_step || 0, "scene was", "scenes were");
    const kind = waiting ? "busy" : status.needs_you ? "bad" : "well";
    if (status.last_full) {
      return [
        kind,
        same + " the same in Plex when last compared, " + w.when(status.last_full, status.now) + rest + ".",
      ];
    }
    if (status.in_step) return [kind, "Not compared yet; " + same + " the same in Plex when last written" + rest + "."];
    return [kind, "Not compared yet" + rest + ". The task Reconcile Library (All), below, compares Stash and Plex."];
  }

  function server(status) {
    const known = status.server;
    if (!known || !known.name) return "not reached yet";
    return known.version ? known.name + ", version " + known.version : known.name;
  }

  function worker(status) {
    const drainer = status.drainer || {};
    if (!drainer.alive) return "asleep; the next save wakes it";
    let words = WORKER[drainer.state] || drainer.state || "at work";
    if (drainer.since && drainer.state !== "ready")
      words += ", for " + w.span((status.now || Date.now() / 1000) - drainer.since);
    return drainer.reason ? words + ": " + drainer.reason : words;
  }

  function following(status) {
    if (!status.next_run) return "after the next start of Stash (Reconcile interval is never)";
    return status.next_run <= (status.now || 0) ? "is due" : w.when(status.next_run, status.now);
  }

  s2p.nowSentence = sentence;
  s2p.part("now", function (h, B, R) {
    const Fact = ({ name, children }) =>
      h(R.Fragment, null, h("dt", null, name), h("dd", null, h(s2p.Data, null, children)));

    function Moving({ status, most }) {
      const left = s2p.status.undone(status);
      if (!left || !status.moving) return null;
      const done = Math.max(0, most - left);
      const share = most ? Math.round((100 * done) / most) : 0;
      const drainer = status.drainer || {};
      const facts = [w.count(left, "scene") + " to go"];
      if (status.queue.in_flight) facts.push(w.number(status.queue.in_flight) + " being written");
      if (drainer.rate) facts.push(drainer.rate.toLocaleString("en-GB", { maximumFractionDigits: 1 }) + " a second");
      if (drainer.left) facts.push("about " + w.span(drainer.left) + " left");
      return h(
        "div",
        { className: "s2p-moving" },
        h(s2p.Bar, { share: share, name: "Scenes written" }),
        h("p", { className: "text-muted" }, facts.join(", ")),
      );
    }

    // The scenes that are being written, a few of them by name.
    function Writing({ status }) {
      const some = status.writing || [];
      const more = ((status.queue || {}).in_flight || 0) - some.length;
      return h(
        R.Fragment,
        null,
        some.map((id, index) => h(R.Fragment, { key: id }, index > 0 && ", ", h(s2p.SceneLink, { id: id }))),
        more > 0 && " and " + w.number(more) + " more",
      );
    }

    function Facts({ status, most }) {
      const drainer = status.drainer || {};
      const [kind, words] = sentence(status);
      return h(
        R.Fragment,
        null,
        h("p", { className: "s2p-sentence", "data-state": kind, role: "status" }, h(s2p.Data, null, words)),
        h(Moving, { status: status, most: most }),
        h(
          "dl",
          { className: "s2p-facts" },
          h(Fact, { name: "Plex" }, server(status)),
          h(Fact, { name: "Worker" }, worker(status)),
          (status.writing || []).length > 0 && h(Fact, { name: "Being written" }, h(Writing, { status: status })),
          BREAKER[drainer.breaker] && h(Fact, { name: "Caution" }, BREAKER[drainer.breaker]),
          h(Fact, { name: "Next comparison" }, following(status)),
          h(Fact, { name: "All scenes compared" }, status.last_full ? w.when(status.last_full, status.now) : "never"),
        ),
      );
    }

    s2p.Now = function Now({ store }) {
      const [busy, setBusy] = R.useState(false);
      const look = () => {
        setBusy(true);
        const done = () => setBusy(false);
        s2p.status.look().then(done, done);
      };
      const again = h(B.Button, { variant: "secondary", size: "sm", onClick: look, disabled: busy }, "Look again");
      return h(
        s2p.Section,
        { name: "now", title: "Now", extra: again },
        h(s2p.Problem, { problem: store.problem }),
        store.status
          ? h(Facts, { status: store.status, most: store.most })
          : !store.problem && h(s2p.Busy, null, "Looking"),
      );
    };
  });
})();
