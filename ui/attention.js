// "Needs you": what only a person can settle, grouped by cause, each with what to do.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const KINDS = { dead: "Failed for good", doubtful: "Doubtful matches", missing: "Not in Plex" };

  s2p.part("attention", function (h, B, R) {
    const button = (label, onClick, more) =>
      h(B.Button, Object.assign({ size: "sm", variant: "secondary", onClick: onClick }, more), label);

    const Files = ({ files }) =>
      (files || []).map((file, index) =>
        h(
          "div",
          { key: index },
          h(s2p.Path, null, file.path),
          h("div", { className: "text-muted" }, w.size(file.size) + ", " + w.duration(file.duration)),
        ),
      );

    function Candidate({ one, onThis, busy }) {
      return h(
        "li",
        { className: "s2p-side", "data-rating-key": one.rating_key },
        h("h5", { className: "h6" }, h(s2p.Data, null, one.title || "Item " + one.rating_key)),
        one.library && h("div", { className: "text-muted" }, "in ", h(s2p.Data, null, one.library)),
        h(s2p.Path, null, one.path),
        h("div", { className: "text-muted" }, w.size(one.size) + ", " + w.duration(one.duration)),
        (one.reasons || []).length > 0 && h("div", null, h(s2p.Data, null, one.reasons.join(", "))),
        button("This one", onThis, {
          variant: "primary",
          disabled: busy,
          "aria-label": "This one: " + (one.title || one.rating_key),
        }),
      );
    }

    // Scene and candidates side by side.
    function Doubtful({ row, act, done, again }) {
      const bind = (one) =>
        act.run(async () => {
          await s2p.ask("bind", { scene: row.scene_id, rating_key: one.rating_key });
          done("bound, and written next.");
        });
      const refuse = () =>
        act.run(async () => {
          // Those that are shown: nobody has said anything about one that has come since.
          const keys = row.candidates.map((one) => one.rating_key);
          try {
            await s2p.ask("refuse", { scene: row.scene_id, rating_keys: keys });
          } catch (problem) {
            again();
            throw problem;
          }
          done("left alone until Plex has another candidate.");
        });
      return h(
        R.Fragment,
        null,
        h(
          "div",
          { className: "s2p-sides" },
          h(
            "div",
            { className: "s2p-side s2p-scene" },
            h("h5", { className: "h6" }, "In Stash: ", h(s2p.Data, null, row.title || "Scene " + row.scene_id)),
            (row.files || []).length ? h(Files, { files: row.files }) : h(s2p.Path, null, row.path),
          ),
          h(
            "ul",
            { className: "s2p-sides", "aria-label": "Candidates in Plex" },
            (row.candidates || []).map((one) =>
              h(Candidate, { key: one.rating_key, one: one, onThis: () => bind(one), busy: act.busy }),
            ),
          ),
        ),
        button("None of these", refuse, { disabled: act.busy }),
      );
    }

    function Row({ row, gone, again }) {
      const act = s2p.useAct();
      const done = (words) => {
        gone(row.id, (row.title || "Scene " + row.scene_id) + ": " + words);
        s2p.status.look();
      };
      const doubtful = row.kind === "doubtful" && (row.candidates || []).length > 0;
      const retry = () =>
        act.run(async () => {
          const answer = await s2p.ask("retry", { ids: [row.id] });
          if (!answer.queued) return "Nothing was queued: it is gone from the list already";
          done("queued again.");
          return "";
        });
      const discard = () =>
        act.run(async () => {
          await s2p.ask("discard", { ids: [row.id] });
          done("forgotten.");
        });
      const tries = row.attempts ? w.count(row.attempts, "try", "tries") : "";
      const last = row.last_at ? w.when(row.last_at) : "";
      const what = row.pictures ? "only the pictures are missing" : "";
      return h(
        "li",
        { className: "s2p-row", "data-scene": row.scene_id, "data-kind": row.kind },
        h(
          "div",
          null,
          row.scene_id
            ? h(s2p.SceneLink, { id: row.scene_id, title: row.title })
            : h(s2p.Data, null, row.title || row.id),
          " ",
          h("span", { className: "text-muted" }, [tries, last, what].filter(Boolean).join(", ")),
        ),
        row.message && h("div", null, h(s2p.Long, null, row.message)),
        !doubtful && row.path && h("div", null, h(s2p.Path, null, row.path)),
        doubtful && h(Doubtful, { row: row, act: act, done: done, again: again }),
        !doubtful &&
          h(
            "div",
            { className: "s2p-buttons" },
            button("Retry", retry, { disabled: act.busy }),
            button("Discard", discard, { disabled: act.busy }),
          ),
        h(s2p.Outcome, { act: act }),
      );
    }

    function Group({ group, rows, gone, again, confirm }) {
      const act = s2p.useAct();
      const all = group.kind === "dead" && group.count > 1 && !group.by_itself;
      const retry = () =>
        act.run(async () => {
          const answer = await s2p.ask("retry", { cause: group.cause });
          again();
          return w.count(answer.queued || 0, "scene") + " queued again";
        });
      const discard = async () => {
        const yes = await confirm({
          title: "Forget " + w.count(group.count, "failed job") + "?",
          body: "Why they failed is lost, and these scenes stay as they are in Plex until they are saved or synced again.",
          yes: "Discard " + w.number(group.count),
          danger: true,
        });
        if (!yes) return;
        act.run(async () => {
          const answer = await s2p.ask("discard", { cause: group.cause });
          again();
          return w.count(answer.discarded || 0, "failed job") + " forgotten";
        });
      };
      return h(
        "div",
        { className: "s2p-group", "data-kind": group.kind },
        h(
          "h3",
          { className: "h6" },
          h(s2p.Data, null, w.upper(String(group.cause || ""))),
          " ",
          h(B.Badge, { variant: "secondary" }, w.number(group.count)),
        ),
        group.what_to_do && h("p", null, h(s2p.Data, null, w.sentence(group.what_to_do))),
        all &&
          h(
            "div",
            { className: "s2p-buttons" },
            button("Retry all " + w.number(group.count), retry, { disabled: act.busy }),
            button("Discard all " + w.number(group.count), discard, { disabled: act.busy }),
          ),
        h(s2p.Outcome, { act: act }),
        h(
          "ul",
          { className: "s2p-rows" },
          rows.map((row) => h(Row, { key: row.id, row: row, gone: gone, again: again })),
        ),
      );
    }

    const Folders = ({ folders }) =>
      folders.length > 0 &&
      h(
        "div",
        { className: "s2p-group" },
        h("h3", { className: "h6" }, "Folders whose files Plex does not have"),
        h(
          "ul",
          { className: "s2p-rows" },
          folders.map((one, index) =>
            h(
              "li",
              { key: index, className: "s2p-row" },
              h(s2p.Path, null, one.folder),
              h("span", { className: "text-muted" }, " " + w.count(one.count, "scene")),
              one.rule &&
                h(
                  "div",
                  null,
                  "If Plex calls this folder otherwise, this line for Path map may help: ",
                  h(s2p.Copy, { text: one.rule, label: "Rule for Path map" }),
                ),
            ),
          ),
        ),
      );

    const ByThemselves = ({ groups }) =>
      groups
        .filter((group) => group.by_itself)
        .map((group) =>
          h(
            "p",
            { key: group.cause, className: "text-muted mb-0" },
            h(s2p.Data, null, group.cause),
            " (" + w.number(group.count) + "): ",
            h(s2p.Data, null, w.sentence(group.what_to_do)),
          ),
        );

    const causeOf = (row, groups) =>
      groups.find((group) => group.cause === row.cause) || groups.find((group) => group.kind === row.kind);

    // Groups with their rows; rows whose group was not told stand under their kind.
    function grouped(groups, rows) {
      const found = groups.map((group) => ({ group: group, rows: [] }));
      rows.forEach((row) => {
        const group = causeOf(row, groups);
        let place = found.find((one) => one.group === group && group);
        if (!place) place = found.find((one) => one.group.cause === KINDS[row.kind]);
        if (!place) {
          place = { group: { cause: KINDS[row.kind] || row.kind, count: 0 }, rows: [], made: true };
          found.push(place);
        }
        place.rows.push(row);
        if (place.made) place.group.count += 1;
      });
      return found.filter((one) => one.rows.length || (one.group.count && !one.group.by_itself));
    }

    s2p.Attention = function Attention({ store, confirm }) {
      const status = store.status;
      const waitsFor = s2p.status.waitsFor(status);
      // One may have gone and another come: the count alone does not tell.
      const changes = status ? [status.needs_you, status.newest_letter] : [0, null];
      const asked = s2p.useAnswer(() => s2p.ask("attention", { limit: 50 }), changes);
      const [more, setMore] = R.useState({ rows: [], next: undefined });
      const [gone, setGone] = R.useState([]);
      const [said, setSaid] = R.useState("");
      const act = s2p.useAct();
      R.useEffect(() => {
        setMore({ rows: [], next: undefined });
        setGone([]);
      }, [asked.answer]);
      const answer = asked.answer;
      const rows = (answer ? answer.rows : []).concat(more.rows).filter((row) => !gone.includes(row.id));
      const next = more.next === undefined ? answer && answer.next : more.next;
      const goOn = () =>
        act.run(async () => {
          const page = await s2p.ask("attention", { after: next, limit: 50 });
          setMore((was) => ({ rows: was.rows.concat(page.rows), next: page.next === undefined ? null : page.next }));
        });
      const again = () => {
        asked.again();
        s2p.status.look();
      };
      const folders = (answer && answer.folders) || [];
      const found = answer ? grouped(answer.groups || [], rows) : [];
      return h(
        s2p.Section,
        { name: "attention", title: "Needs you" },
        h(s2p.Problem, { problem: asked.problem, again: asked.again }),
        !answer && asked.busy && h(s2p.Busy, null, "Looking"),
        h("p", { className: "s2p-said mb-0", role: "status" }, said && h(s2p.Data, null, said)),
        waitsFor && h("p", { className: "s2p-problem", "data-kind": "worker" }, h(s2p.Data, null, w.sentence(waitsFor))),
        answer &&
          !waitsFor &&
          !found.length &&
          !folders.length &&
          h("p", { className: "text-muted mb-0" }, "Nothing needs you."),
        found.map((one) =>
          h(Group, {
            key: one.group.cause,
            group: one.group,
            rows: one.rows,
            gone: (id, words) => {
              setGone((was) => was.concat(id));
              setSaid(words);
              // The button that had the focus is gone.
              const section = document.getElementById("stash2plex-attention");
              if (section) section.focus({ preventScroll: true });
            },
            confirm: confirm,
            again: again,
          }),
        ),
        h(ByThemselves, { groups: (answer && answer.groups) || [] }),
        h(Folders, { folders: folders }),
        next !== null &&
          next !== undefined &&
          next !== false &&
          h("div", { className: "s2p-buttons" }, button("Show more", goOn, { disabled: act.busy })),
        h(s2p.Outcome, { act: act }),
      );
    };
  });
})();
