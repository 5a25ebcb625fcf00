// The section "Health": the results of the health check, which runs when its button is pressed.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  // A check's `ok` -> [data-state, label].
  const STATES = { true: ["ok", "OK"], false: ["problem", "Problem"], null: ["unknown", "Unknown"] };
  const ORDER = { problem: 0, unknown: 1, ok: 2 };
  const stateOf = (check) => STATES[String(check.ok)] || STATES.null;

  s2p.define("section health", function (h, Bootstrap, React) {
    const Check = ({ check }) => {
      const [state, label] = stateOf(check);
      return h(
        "li",
        { className: "s2p-row s2p-check", "data-state": state },
        h("strong", { className: "s2p-check-state" }, label),
        h(
          "div",
          null,
          h("strong", null, check.check),
          ": ",
          h(s2p.IsolatedText, null, format.sentence(check.finding)),
          check.advice && h("div", null, h(s2p.IsolatedText, null, format.sentence(check.advice))),
        ),
      );
    };

    s2p.HealthSection = function HealthSection() {
      const [runs, setRuns] = React.useState(0);
      const loaded = s2p.useLoaded(runs ? () => s2p.runOperation("health") : null, [runs]);
      const checks = loaded.data ? loaded.data.checks : [];
      const problemCount = checks.filter((check) => check.ok === false).length;
      const sorted = checks.slice().sort((a, b) => ORDER[stateOf(a)[0]] - ORDER[stateOf(b)[0]]);
      return h(
        s2p.Section,
        {
          name: "health",
          title: "Health",
          buttons: h(
            Bootstrap.Button,
            {
              size: "sm",
              variant: "secondary",
              disabled: loaded.loading,
              onClick: () => setRuns((before) => before + 1),
            },
            runs ? "Check again" : "Check now",
          ),
        },
        !runs &&
          h(
            "p",
            { className: "text-muted mb-0" },
            "Checks the settings, Plex, Stash, the data directory and the worker. Nothing is changed.",
          ),
        loaded.loading && h(s2p.Loading, null, "Checking…"),
        h(s2p.ErrorMessage, { error: loaded.error }),
        !loaded.loading &&
          loaded.data &&
          h(
            "p",
            { role: "status" },
            format.count(checks.length, "check") +
              ", " +
              (problemCount ? format.count(problemCount, "problem") : "no problems") +
              " found.",
          ),
        h(
          "ul",
          { className: "s2p-rows" },
          sorted.map((check, index) => h(Check, { key: index, check: check })),
        ),
      );
    };
  });
})();
