// "Preview": what a sync would write, scene by scene and field by field; nothing is changed by looking.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const SCOPES = [
    ["recent", "Changed in the last 24 hours"],
    ["7days", "Changed in the last 7 days"],
    ["all", "All scenes"],
    ["ids", "Scenes by id"],
  ];
  const PAGE = 50;

  const writes = (one) =>
    (one.items || []).some((item) => item.changes.length) ||
    !!(one.pictures && (one.pictures.uploads || one.pictures.selected || one.pictures.removed));

  s2p.previewWrites = writes;
  s2p.part("preview", function (h, B, R) {
    // One scene: its items and what would become of them.
    s2p.Forecast = function Forecast({ one, plain }) {
      const pictures = s2p.pictureWords(one.pictures);
      const items = (one.items || []).filter((item) => item.changes.length);
      return h(
        plain ? "div" : "li",
        { className: "s2p-row", "data-scene": one.scene_id },
        !plain && h("h3", { className: "h6" }, h(s2p.SceneLink, { id: one.scene_id, title: one.title })),
        items.map((item) =>
          h(
            "div",
            { key: item.rating_key },
            items.length > 1 && h("div", { className: "text-muted" }, "Item " + item.rating_key),
            h(s2p.Changes, { changes: item.changes }),
          ),
        ),
        pictures && h("p", { className: "mb-0" }, w.upper(pictures), "."),
        (one.notes || []).map((note, index) =>
          h("p", { key: index, className: "text-muted mb-0" }, h(s2p.Data, null, note)),
        ),
        one.reason && h("p", { className: "text-muted mb-0" }, h(s2p.Data, null, w.sentence(one.reason))),
      );
    };

    const LeftOut = ({ rows, counts }) =>
      rows.length > 0 &&
      h(
        "details",
        { className: "s2p-more" },
        h(
          "summary",
          null,
          w.count(Object.values(counts || {}).reduce((a, b) => a + b, 0) || rows.length, "scene is", "scenes are") +
            " left alone",
        ),
        h(
          "ul",
          { className: "s2p-rows" },
          rows.map((one) =>
            h(
              "li",
              { key: one.scene_id, className: "s2p-row" },
              h(s2p.SceneLink, { id: one.scene_id, title: one.title }),
              ": ",
              h(s2p.Data, null, w.sentence(one.reason || one.verdict)),
            ),
          ),
        ),
      );

    function Result({ answer, question, onNext }) {
      const act = s2p.useAct();
      const ids = (answer.changes || []).filter(writes).map((one) => one.scene_id);
      const sync = () =>
        act.run(async () => {
          const done = await s2p.ask("sync_now", { ids: ids });
          s2p.status.look();
          return w.count(done.queued || 0, "scene is", "scenes are") + " queued before everything else";
        });
      const equal = (answer.changes || []).filter((one) => !writes(one));
      const looked = w.count(answer.scenes, "scene") + " looked at: ";
      const sum = answer.would_change
        ? w.count(answer.would_change, "would be written", "would be written") +
          ", " +
          w.number(answer.equal) +
          " equal already."
        : answer.scenes
          ? "nothing would be written."
          : "";
      return h(
        "div",
        { "data-preview": "result" },
        h("p", { role: "status" }, answer.scenes ? looked + sum : "There are no scenes to look at."),
        ids.length > 0 &&
          h(
            "div",
            { className: "s2p-buttons" },
            h(
              B.Button,
              { size: "sm", variant: "primary", onClick: sync, disabled: act.busy },
              "Sync these (" + w.number(ids.length) + ")",
            ),
            h(s2p.Outcome, { act: act }),
          ),
        h(
          "ul",
          { className: "s2p-rows" },
          answer.changes.filter(writes).map((one) => h(s2p.Forecast, { key: one.scene_id, one: one })),
        ),
        equal.length > 0 &&
          question.scenes &&
          h(
            "p",
            { className: "text-muted" },
            "Equal already: ",
            equal.map((one, index) =>
              h(
                R.Fragment,
                { key: one.scene_id },
                index > 0 && ", ",
                h(s2p.SceneLink, { id: one.scene_id, title: one.title }),
              ),
            ),
          ),
        h(LeftOut, { rows: answer.left_out || [], counts: answer.left_alone }),
        answer.next !== null &&
          answer.next !== undefined &&
          h(
            "div",
            { className: "s2p-buttons" },
            h(
              B.Button,
              { size: "sm", variant: "secondary", onClick: () => onNext(answer.next) },
              "Look at the next " + PAGE,
            ),
          ),
      );
    }

    s2p.Preview = function Preview() {
      const [scope, setScope] = R.useState("recent");
      const [ids, setIds] = R.useState("");
      const [question, setQuestion] = R.useState(null);
      const asked = s2p.useAnswer(question && (() => s2p.ask("preview", question)), [question]);
      const look = (after) => {
        const what = scope === "ids" ? { scenes: ids } : { scope: scope };
        setQuestion(Object.assign(what, { limit: PAGE }, after ? { after: after } : {}));
      };
      const submit = (event) => {
        event.preventDefault();
        look();
      };
      return h(
        s2p.Section,
        { name: "preview", title: "Preview" },
        h(
          "form",
          { className: "s2p-form", onSubmit: submit },
          h(
            "label",
            null,
            h(s2p.Hidden, null, "Which scenes"),
            h(
              "select",
              {
                className: "form-control form-control-sm btn-secondary",
                value: scope,
                onChange: (event) => setScope(event.target.value),
              },
              SCOPES.map(([value, label]) => h("option", { key: value, value: value }, label)),
            ),
          ),
          scope === "ids" &&
            h("input", {
              className: "form-control form-control-sm text-input",
              "aria-label": "Ids of scenes, with commas",
              placeholder: "12, 13",
              inputMode: "numeric",
              value: ids,
              onChange: (event) => setIds(event.target.value),
            }),
          h(B.Button, { type: "submit", size: "sm", variant: "secondary", disabled: asked.busy }, "Preview"),
        ),
        !question &&
          h("p", { className: "text-muted mb-0" }, "Shows what a sync would write to Plex. Looking changes nothing."),
        asked.busy && h(s2p.Busy, null, "Comparing with Plex"),
        h(s2p.Problem, { problem: asked.problem, again: asked.again }),
        asked.answer &&
          !asked.problem &&
          h(Result, { key: JSON.stringify(question), answer: asked.answer, question: question, onNext: look }),
      );
    };
  });
})();
