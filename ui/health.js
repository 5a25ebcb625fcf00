// "Health": the lines of the health check, asked for by hand: it looks at Stash and Plex.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const STATES = { true: ["ok", "OK"], false: ["bad", "Not OK"], null: ["open", "Not known"] };

  s2p.part("health", function (h, B, R) {
    const Line = ({ one }) => {
      const [state, word] = STATES[String(one.ok)] || STATES.null;
      return h(
        "li",
        { className: "s2p-row s2p-check", "data-state": state },
        h("strong", { className: "s2p-state" }, word),
        h(
          "div",
          null,
          h("strong", null, one.check),
          ": ",
          h(s2p.Data, null, w.sentence(one.finding)),
          one.advice && h("div", null, h(s2p.Data, null, w.sentence(one.advice))),
        ),
      );
    };

    s2p.Health = function Health() {
      const [turn, setTurn] = R.useState(0);
      const asked = s2p.useAnswer(turn ? () => s2p.ask("health") : null, [turn]);
      const checks = asked.answer ? asked.answer.checks : [];
      const wrong = checks.filter((one) => one.ok === false);
      const order = (one) => (one.ok === false ? 0 : one.ok === true ? 2 : 1);
      const button = h(
        B.Button,
        { size: "sm", variant: "secondary", disabled: asked.busy, onClick: () => setTurn((now) => now + 1) },
        turn ? "Check again" : "Check now",
      );
      return h(
        s2p.Section,
        { name: "health", title: "Health", extra: button },
        !turn &&
          h("p", { className: "text-muted mb-0" }, "Checks settings, Plex, Stash, data and worker. It only reads."),
        asked.busy && h(s2p.Busy, null, "Checking"),
        h(s2p.Problem, { problem: asked.problem }),
        !asked.busy &&
          asked.answer &&
          h(
            "p",
            { role: "status" },
            wrong.length
              ? w.count(wrong.length, "thing") + " to mend."
              : w.count(checks.length, "check") + ", nothing to mend.",
          ),
        h(
          "ul",
          { className: "s2p-rows" },
          checks
            .slice()
            .sort((a, b) => order(a) - order(b))
            .map((one, index) => h(Line, { key: index, one: one })),
        ),
      );
    };
  });
})();
