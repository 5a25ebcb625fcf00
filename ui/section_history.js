// The section "History": what was written and what failed, as a chart (a table for screen readers), Plex outages,
// reconciliations and single events.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  // In units of the chart's viewBox.
  const CHART_HEIGHT = 90;
  const BAR_WIDTH = 10;

  const barTotal = (bucket) => (bucket.written || 0) + (bucket.failed || 0);

  function describeReconciliation(run) {
    const counts = [
      format.count(run.checked, "scene") + " checked",
      format.number(run.found) + " out of sync",
      format.number(run.queued) + " queued.",
    ];
    const error = run.error ? " Stopped early: " + format.sentence(run.error) : "";
    return (s2p.wording.SCOPES[run.scope] || run.scope) + ", " + counts.join(", ") + error;
  }

  function describeEvent(event) {
    const text = s2p.wording.EVENTS[event.kind] || event.kind;
    if (!event.detail) return text;
    if (event.kind !== "reconciled") return text + ": " + event.detail;
    try {
      return text + ": " + describeReconciliation(JSON.parse(event.detail));
    } catch (error) {
      return text + ": " + event.detail;
    }
  }

  s2p.define("section history", function (h, Bootstrap, React) {
    function chartBars(buckets) {
      const highest = Math.max(1, ...buckets.map(barTotal));
      return buckets.map((bucket, index) => {
        const writtenHeight = ((bucket.written || 0) / highest) * CHART_HEIGHT;
        const failedHeight = ((bucket.failed || 0) / highest) * CHART_HEIGHT;
        const bar = (kind, bottom, height) =>
          height > 0 &&
          h("rect", {
            key: kind,
            className: "s2p-bar-" + kind,
            x: index * BAR_WIDTH + 1,
            width: BAR_WIDTH - 2,
            y: CHART_HEIGHT - bottom - height,
            height: height,
          });
        const counts = format.number(bucket.written) + " written, " + format.number(bucket.failed) + " failed";
        return h(
          "g",
          { key: bucket.at },
          h("title", null, format.timestamp(bucket.at) + ": " + counts),
          h("rect", {
            className: "s2p-bar-background",
            x: index * BAR_WIDTH,
            width: BAR_WIDTH,
            y: 0,
            height: CHART_HEIGHT,
          }),
          bar("written", 0, writtenHeight),
          bar("failed", writtenHeight, failedHeight),
        );
      });
    }

    function ChartTable({ buckets, caption }) {
      const columns = ["From", "Written", "Unchanged", "Failed"];
      // Inside a box, since a table cannot be made small enough to be hidden.
      return h(
        "div",
        { className: "sr-only" },
        h(
          "table",
          null,
          h("caption", null, caption),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              columns.map((name) => h("th", { key: name, scope: "col" }, name)),
            ),
          ),
          h(
            "tbody",
            null,
            buckets.map((bucket) =>
              h(
                "tr",
                { key: bucket.at },
                h("th", { scope: "row" }, format.timestamp(bucket.at)),
                h("td", null, format.number(bucket.written)),
                h("td", null, format.number(bucket.unchanged)),
                h("td", null, format.number(bucket.failed)),
              ),
            ),
          ),
        ),
      );
    }

    function Chart({ buckets, hours }) {
      const sum = (name) => buckets.reduce((total, bucket) => total + (bucket[name] || 0), 0);
      const highest = Math.max(0, ...buckets.map(barTotal));
      const caption =
        format.count(sum("written"), "scene") +
        " written, " +
        format.number(sum("failed")) +
        " failed in the last " +
        (hours > 48 ? "30 days" : "24 hours");
      return h(
        "figure",
        { className: "s2p-chart" },
        h(
          "figcaption",
          null,
          caption,
          highest > 0 && h("span", { className: "text-muted" }, " (highest bar: " + format.number(highest) + ")"),
        ),
        highest > 0 &&
          h(
            "svg",
            {
              viewBox: "0 0 " + Math.max(1, buckets.length) * BAR_WIDTH + " " + CHART_HEIGHT,
              preserveAspectRatio: "none",
              role: "img",
              "aria-label": caption,
            },
            chartBars(buckets),
          ),
        highest > 0 &&
          h(
            "div",
            { className: "s2p-chart-axis text-muted", "aria-hidden": true },
            h("span", null, format.timestamp(buckets[0].at)),
            h("span", null, format.timestamp(buckets[buckets.length - 1].at)),
          ),
        h(ChartTable, {
          buckets: buckets.filter((bucket) => bucket.written || bucket.failed || bucket.unchanged),
          caption: caption,
        }),
      );
    }

    const TitledList = ({ title, rows }) =>
      rows.length > 0 &&
      h(
        React.Fragment,
        null,
        h("h3", { className: "h6" }, title),
        h(
          "ul",
          { className: "s2p-rows" },
          rows.map((row, index) => h("li", { key: index, className: "s2p-row" }, row)),
        ),
      );

    const outageRow = (outage) =>
      h(
        React.Fragment,
        null,
        format.capitalize(format.relativeDate(outage.began)) + ", ",
        outage.ended ? "for " + format.timeSpan(outage.ended - outage.began) : "not over yet",
        outage.waiting ? ", " + format.count(outage.waiting, "scene") + " waiting" : "",
        ": ",
        h(s2p.IsolatedText, null, format.sentence(outage.reason)),
      );

    const reconciliationRow = (run) =>
      h(
        React.Fragment,
        null,
        format.capitalize(format.relativeDate(run.at)) + ": ",
        h(s2p.IsolatedText, null, describeReconciliation(run)),
      );

    const eventRow = (event) =>
      h(
        React.Fragment,
        null,
        h("span", { className: "text-muted" }, format.timestamp(event.at)),
        " ",
        event.scene_id ? h(s2p.SceneLink, { id: event.scene_id }) : null,
        event.scene_id ? ": " : null,
        h(s2p.IsolatedText, null, describeEvent(event)),
      );

    // Count how often the history should be loaded again: when activity has ended, and when an outage begins or ends.
    function useReloads(status) {
      const isIdle = status ? !status.moving : null;
      const isOutage = status ? !!status.outage : null;
      const [reloads, setReloads] = React.useState(0);
      const before = React.useRef({ isIdle: null, isOutage: null });
      React.useEffect(() => {
        const hasEnded = isIdle && before.current.isIdle === false;
        const hasOutageChanged = before.current.isOutage !== null && isOutage !== before.current.isOutage;
        if (hasEnded || hasOutageChanged) setReloads((count) => count + 1);
        before.current = { isIdle: isIdle, isOutage: isOutage };
      }, [isIdle, isOutage]);
      return reloads;
    }

    s2p.HistorySection = function HistorySection({ store }) {
      const [hours, setHours] = React.useState(24);
      const [areEventsOpen, setAreEventsOpen] = React.useState(false);
      const reloads = useReloads(store.status);
      const loaded = s2p.useLoaded(() => s2p.runOperation("history", { hours: hours }), [hours, reloads]);
      const answer = loaded.data;
      const [morePages, setMorePages] = React.useState({ events: [], next: undefined });
      React.useEffect(() => setMorePages({ events: [], next: undefined }), [answer]);
      const action = s2p.useAction();
      const events = ((answer && answer.events) || []).concat(morePages.events);
      const next = morePages.next === undefined ? answer && answer.next : morePages.next;
      const showMore = () =>
        action.run(async () => {
          const page = await s2p.runOperation("history", { hours: hours, after: next });
          setMorePages((before) => ({ events: before.events.concat(page.events), next: page.next || null }));
        });
      const newestFirst = (rows) => (rows || []).slice().reverse();
      const periodButton = (value, label) =>
        h(
          Bootstrap.Button,
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
          buttons: h(
            Bootstrap.ButtonGroup,
            { "aria-label": "Period" },
            periodButton(24, "24 hours"),
            periodButton(720, "30 days"),
          ),
        },
        h(s2p.ErrorMessage, { error: loaded.error, retry: loaded.reload }),
        !answer && loaded.loading && h(s2p.Loading),
        answer && h(Chart, { buckets: answer.buckets || [], hours: hours }),
        answer && h(TitledList, { title: "Plex outages", rows: newestFirst(answer.outages).map(outageRow) }),
        answer &&
          h(TitledList, {
            title: "Reconciliations",
            rows: newestFirst(answer.reconciliations).map(reconciliationRow),
          }),
        answer &&
          events.length > 0 &&
          h(
            "details",
            {
              className: "s2p-details",
              open: areEventsOpen,
              onToggle: (event) => setAreEventsOpen(event.target.open),
            },
            h("summary", null, "All events"),
            areEventsOpen &&
              h(
                "ul",
                { className: "s2p-rows" },
                events.map((event) => h("li", { key: event.id, className: "s2p-row" }, eventRow(event))),
              ),
            areEventsOpen &&
              next &&
              h(
                "div",
                { className: "s2p-buttons" },
                h(
                  Bootstrap.Button,
                  { size: "sm", variant: "secondary", onClick: showMore, disabled: action.busy },
                  "Show more",
                ),
              ),
            h(s2p.ActionResult, { action: action }),
          ),
      );
    };
  });
})();
