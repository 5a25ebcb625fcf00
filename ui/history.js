// "History": what was written and what failed, as a chart (and as a table for those who do not see it), outages, and
// comparisons.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const HIGH = 90;
  const STEP = 10;
  const SCOPES = { all: "all scenes", recent: "the last 24 hours", recent_7days: "the last 7 days" };

  s2p.part("history", function (h, B, R) {
    function bars(buckets) {
      const top = Math.max(1, ...buckets.map((one) => (one.written || 0) + (one.failed || 0)));
      return buckets.map((one, index) => {
        const written = ((one.written || 0) / top) * HIGH;
        const failed = ((one.failed || 0) / top) * HIGH;
        const bar = (kind, from, height) =>
          height > 0 &&
          h("rect", {
            key: kind,
            className: "s2p-bar-" + kind,
            x: index * STEP + 1,
            width: STEP - 2,
            y: HIGH - from - height,
            height: height,
          });
        const label = w.stamp(one.at) + ": " + w.number(one.written) + " written, " + w.number(one.failed) + " failed";
        return h(
          "g",
          { key: one.at },
          h("title", null, label),
          h("rect", { className: "s2p-bar-back", x: index * STEP, width: STEP, y: 0, height: HIGH }),
          bar("written", 0, written),
          bar("failed", written, failed),
        );
      });
    }

    function Chart({ buckets, hours }) {
      const sum = (name) => buckets.reduce((total, one) => total + (one[name] || 0), 0);
      const most = Math.max(0, ...buckets.map((one) => (one.written || 0) + (one.failed || 0)));
      const words =
        w.count(sum("written"), "scene") +
        " written, " +
        w.number(sum("failed")) +
        " failed in the last " +
        (hours > 48 ? "30 days" : "24 hours");
      const rows = buckets.filter((one) => one.written || one.failed || one.unchanged);
      return h(
        "figure",
        { className: "s2p-chart" },
        h(
          "figcaption",
          null,
          words,
          most > 0 && h("span", { className: "text-muted" }, "; the highest bar is " + w.number(most)),
        ),
        most > 0 &&
          h(
            "svg",
            {
              viewBox: "0 0 " + Math.max(1, buckets.length) * STEP + " " + HIGH,
              preserveAspectRatio: "none",
              role: "img",
              "aria-label": words,
            },
            bars(buckets),
          ),
        most > 0 &&
          h(
            "div",
            { className: "s2p-axis text-muted", "aria-hidden": true },
            h("span", null, w.stamp(buckets[0].at)),
            h("span", null, w.stamp(buckets[buckets.length - 1].at)),
          ),
        // Inside a box, since a table does not let itself be made that small.
        h(
          "div",
          { className: "sr-only" },
          h(
            "table",
            null,
            h("caption", null, words),
            h(
              "thead",
              null,
              h(
                "tr",
                null,
                ["From", "Written", "Unchanged", "Failed"].map((name) => h("th", { key: name, scope: "col" }, name)),
              ),
            ),
            h(
              "tbody",
              null,
              rows.map((one) =>
                h(
                  "tr",
                  { key: one.at },
                  h("th", { scope: "row" }, w.stamp(one.at)),
                  h("td", null, w.number(one.written)),
                  h("td", null, w.number(one.unchanged)),
                  h("td", null, w.number(one.failed)),
                ),
              ),
            ),
          ),
        ),
      );
    }

    const Listed = ({ title, rows }) =>
      rows.length > 0 &&
      h(
        R.Fragment,
        null,
        h("h3", { className: "h6" }, title),
        h(
          "ul",
          { className: "s2p-rows" },
          rows.map((row, index) => h("li", { key: index, className: "s2p-row" }, row)),
        ),
      );

    const outage = (one) =>
      h(
        R.Fragment,
        null,
        w.upper(w.when(one.began)) + ", ",
        one.ended ? w.span(one.ended - one.began) + " long" : "still going on",
        one.waiting ? ", " + w.count(one.waiting, "scene") + " waiting" : "",
        ": ",
        h(s2p.Data, null, w.sentence(one.reason)),
      );

    const comparison = (one) =>
      h(
        R.Fragment,
        null,
        w.upper(w.when(one.at)) + " (",
        h(s2p.Data, null, SCOPES[one.scope] || one.scope),
        "): " +
          w.count(one.checked, "scene") +
          " checked, " +
          w.number(one.found) +
          " differed, " +
          w.number(one.queued) +
          " queued. ",
        one.error && h(s2p.Data, null, "It ended early: " + w.sentence(one.error)),
      );

    const event = (one) =>
      h(
        R.Fragment,
        null,
        h("span", { className: "text-muted" }, w.stamp(one.at)),
        " ",
        one.scene_id ? h(s2p.SceneLink, { id: one.scene_id }) : null,
        " ",
        h(s2p.Data, null, one.kind),
        one.detail ? ": " : "",
        one.detail && h(s2p.Data, null, one.detail),
      );

    s2p.History = function History({ store }) {
      const [hours, setHours] = R.useState(24);
      const [shown, setShown] = R.useState(false);
      // Asked anew once things have come to rest, and when an outage has begun or ended; not while they move.
      const status = store.status;
      const still = status ? !status.moving : null;
      const away = status ? !!status.outage : null;
      const [rests, setRests] = R.useState(0);
      const was = R.useRef({ still: null, away: null });
      R.useEffect(() => {
        const before = was.current;
        if ((still && before.still === false) || (before.away !== null && away !== before.away))
          setRests((now) => now + 1);
        was.current = { still: still, away: away };
      }, [still, away]);
      const asked = s2p.useAnswer(() => s2p.ask("history", { hours: hours }), [hours, rests]);
      const answer = asked.answer;
      const [more, setMore] = R.useState({ events: [], next: undefined });
      R.useEffect(() => setMore({ events: [], next: undefined }), [answer]);
      const act = s2p.useAct();
      const events = ((answer && answer.events) || []).concat(more.events);
      const next = more.next === undefined ? answer && answer.next : more.next;
      const goOn = () =>
        act.run(async () => {
          const page = await s2p.ask("history", { hours: hours, after: next });
          setMore((before) => ({ events: before.events.concat(page.events), next: page.next || null }));
        });
      const choice = (value, label) =>
        h(
          B.Button,
          {
            size: "sm",
            variant: hours === value ? "primary" : "secondary",
            "aria-pressed": hours === value,
            onClick: () => setHours(value),
          },
          label,
        );
      return h(
        s2p.Section,
        {
          name: "history",
          title: "History",
          extra: h(B.ButtonGroup, { "aria-label": "How far back" }, choice(24, "24 hours"), choice(720, "30 days")),
        },
        h(s2p.Problem, { problem: asked.problem, again: asked.again }),
        !answer && asked.busy && h(s2p.Busy, null, "Looking"),
        answer && h(Chart, { buckets: answer.buckets || [], hours: hours }),
        answer && h(Listed, { title: "Outages of Plex", rows: (answer.outages || []).slice().reverse().map(outage) }),
        answer &&
          h(Listed, { title: "Comparisons", rows: (answer.reconciliations || []).slice().reverse().map(comparison) }),
        answer &&
          events.length > 0 &&
          h(
            "details",
            { className: "s2p-more", open: shown, onToggle: (event_) => setShown(event_.target.open) },
            h("summary", null, "Scene by scene"),
            shown &&
              h(
                "ul",
                { className: "s2p-rows" },
                events.map((one) => h("li", { key: one.id, className: "s2p-row" }, event(one))),
              ),
            shown &&
              next &&
              h(
                "div",
                { className: "s2p-buttons" },
                h(B.Button, { size: "sm", variant: "secondary", onClick: goOn, disabled: act.busy }, "Show more"),
              ),
            h(s2p.Outcome, { act: act }),
          ),
      );
    };
  });
})();
