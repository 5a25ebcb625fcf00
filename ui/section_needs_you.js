// The section "Needs you": failed jobs, doubtful matches and missing files, grouped by cause, each with what to do.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  const PAGE_SIZE = 50;

  const sceneName = (row) => row.title || "Scene " + row.scene_id;

  // The group of a row. The answer has no group for a cause that is new since the groups were counted: then one for the
  // row's kind is returned, if there is one.
  const groupOf = (row, groups) =>
    groups.find((group) => group.cause === row.cause) || groups.find((group) => group.kind === row.kind);

  // Return [{group, rows}, ...], with a group of its own for rows of an unknown kind.
  function groupRows(groups, rows) {
    const grouped = groups.map((group) => ({ group: group, rows: [] }));
    rows.forEach((row) => {
      const group = groupOf(row, groups);
      const cause = s2p.wording.ROW_KINDS[row.kind] || row.kind;
      let entry = grouped.find((candidate) => (group ? candidate.group === group : candidate.group.cause === cause));
      if (!entry) {
        entry = { group: { cause: cause, count: 0 }, rows: [], isAdded: true };
        grouped.push(entry);
      }
      entry.rows.push(row);
      if (entry.isAdded) entry.group.count += 1;
    });
    return grouped.filter((entry) => entry.rows.length || (entry.group.count && !entry.group.by_itself));
  }

  s2p.define("section needs you", function (h, Bootstrap, React) {
    const button = (label, onClick, more) =>
      h(Bootstrap.Button, Object.assign({ size: "sm", variant: "secondary", onClick: onClick }, more), label);

    const FileFacts = ({ size, duration }) =>
      h("div", { className: "text-muted" }, format.fileSize(size) + ", " + format.playTime(duration));

    const Files = ({ files }) =>
      files.map((file, index) =>
        h(
          "div",
          { key: index },
          h(s2p.FilePath, null, file.path),
          h(FileFacts, { size: file.size, duration: file.duration }),
        ),
      );

    function Candidate({ candidate, onChoose, busy }) {
      const title = candidate.title || "Item " + candidate.rating_key;
      return h(
        "li",
        { className: "s2p-column", "data-rating-key": candidate.rating_key },
        h("h5", { className: "h6" }, h(s2p.IsolatedText, null, title)),
        candidate.library && h("div", { className: "text-muted" }, "in ", h(s2p.IsolatedText, null, candidate.library)),
        h(s2p.FilePath, null, candidate.path),
        h(FileFacts, { size: candidate.size, duration: candidate.duration }),
        (candidate.reasons || []).length > 0 && h("div", null, h(s2p.IsolatedText, null, candidate.reasons.join(", "))),
        button("Choose this item", onChoose, {
          variant: "primary",
          disabled: busy,
          "aria-label": "Choose this item: " + title,
        }),
      );
    }

    // The scene and its candidates side by side.
    function CandidateChoice({ row, action, onDone, onChanged }) {
      const choose = (candidate) =>
        action.run(async () => {
          await s2p.runOperation("bind", { scene: row.scene_id, rating_key: candidate.rating_key });
          onDone("item chosen. It will be written next.");
        });
      const rejectAll = () =>
        action.run(async () => {
          // Only the candidates that are shown: one that is new since then has not been rejected.
          const ratingKeys = row.candidates.map((candidate) => candidate.rating_key);
          try {
            await s2p.runOperation("refuse", { scene: row.scene_id, rating_keys: ratingKeys });
          } catch (error) {
            onChanged();
            throw error;
          }
          onDone("items rejected. The scene is skipped until Plex has another candidate.");
        });
      return h(
        React.Fragment,
        null,
        h(
          "div",
          { className: "s2p-columns" },
          h(
            "div",
            { className: "s2p-column s2p-scene-column" },
            h("h5", { className: "h6" }, "In Stash: ", h(s2p.IsolatedText, null, sceneName(row))),
            (row.files || []).length ? h(Files, { files: row.files }) : h(s2p.FilePath, null, row.path),
          ),
          h(
            "ul",
            { className: "s2p-columns", "aria-label": "Candidates in Plex" },
            row.candidates.map((candidate) =>
              h(Candidate, {
                key: candidate.rating_key,
                candidate: candidate,
                onChoose: () => choose(candidate),
                busy: action.busy,
              }),
            ),
          ),
        ),
        button("None of these", rejectAll, { disabled: action.busy }),
      );
    }

    function Row({ row, onRemoved, onChanged }) {
      const action = s2p.useAction();
      const hasCandidates = row.kind === "doubtful" && (row.candidates || []).length > 0;
      const onDone = (message) => {
        onRemoved(row.id, sceneName(row) + ": " + message);
        s2p.status.refresh();
      };
      const retry = () =>
        action.run(async () => {
          const answer = await s2p.runOperation("retry", { ids: [row.id] });
          if (!answer.queued) return "Nothing was queued: this row is no longer in the list";
          onDone("queued again.");
          return "";
        });
      const discard = () =>
        action.run(async () => {
          await s2p.runOperation("discard", { ids: [row.id] });
          onDone("discarded.");
        });
      const facts = [
        row.attempts && format.count(row.attempts, "attempt"),
        row.last_at && format.relativeDate(row.last_at),
        row.pictures && "only the pictures failed",
      ];
      return h(
        "li",
        { className: "s2p-row", "data-scene": row.scene_id, "data-kind": row.kind },
        h(
          "div",
          null,
          row.scene_id
            ? h(s2p.SceneLink, { id: row.scene_id, title: row.title })
            : h(s2p.IsolatedText, null, row.title || row.id),
          " ",
          h("span", { className: "text-muted" }, facts.filter(Boolean).join(", ")),
        ),
        row.message && h("div", null, h(s2p.LongText, null, row.message)),
        hasCandidates
          ? h(CandidateChoice, { row: row, action: action, onDone: onDone, onChanged: onChanged })
          : h(
              React.Fragment,
              null,
              row.path && h("div", null, h(s2p.FilePath, null, row.path)),
              h(
                "div",
                { className: "s2p-buttons" },
                button("Retry", retry, { disabled: action.busy }),
                button("Discard", discard, { disabled: action.busy }),
              ),
            ),
        h(s2p.ActionResult, { action: action }),
      );
    }

    function Group({ group, rows, onRemoved, onChanged, confirm }) {
      const action = s2p.useAction();
      const hasBulkButtons = group.kind === "dead" && group.count > 1 && !group.by_itself;
      const retryAll = () =>
        action.run(async () => {
          const answer = await s2p.runOperation("retry", { cause: group.cause });
          onChanged();
          return format.count(answer.queued || 0, "scene") + " queued again";
        });
      const discardAll = async () => {
        const isConfirmed = await confirm({
          title: "Discard " + format.count(group.count, "dead letter") + "?",
          body: "The reasons for the failures are deleted. Plex is not updated until these scenes are saved or synced again.",
          confirmLabel: "Discard " + format.number(group.count),
          isDangerous: true,
        });
        if (!isConfirmed) return;
        action.run(async () => {
          const answer = await s2p.runOperation("discard", { cause: group.cause });
          onChanged();
          return format.count(answer.discarded || 0, "dead letter") + " discarded";
        });
      };
      return h(
        "div",
        { className: "s2p-group", "data-kind": group.kind },
        h(
          "h3",
          { className: "h6" },
          h(s2p.IsolatedText, null, format.capitalize(String(group.cause || ""))),
          " ",
          h(Bootstrap.Badge, { variant: "secondary" }, format.number(group.count)),
        ),
        group.what_to_do && h("p", null, h(s2p.IsolatedText, null, format.sentence(group.what_to_do))),
        hasBulkButtons &&
          h(
            "div",
            { className: "s2p-buttons" },
            button("Retry all " + format.number(group.count), retryAll, { disabled: action.busy }),
            button("Discard all " + format.number(group.count), discardAll, { disabled: action.busy }),
          ),
        h(s2p.ActionResult, { action: action }),
        h(
          "ul",
          { className: "s2p-rows" },
          rows.map((row) => h(Row, { key: row.id, row: row, onRemoved: onRemoved, onChanged: onChanged })),
        ),
      );
    }

    const MissingFolders = ({ folders }) =>
      folders.length > 0 &&
      h(
        "div",
        { className: "s2p-group" },
        h("h3", { className: "h6" }, "Folders with files that Plex does not have"),
        h(
          "ul",
          { className: "s2p-rows" },
          folders.map((folder, index) =>
            h(
              "li",
              { key: index, className: "s2p-row" },
              h(s2p.FilePath, null, folder.folder),
              h("span", { className: "text-muted" }, " " + format.count(folder.count, "scene")),
              folder.rule &&
                h(
                  "div",
                  null,
                  "If this folder has another path in Plex, add this rule to Path map: ",
                  h(s2p.CopyField, { text: folder.rule, label: "Rule for Path map" }),
                ),
            ),
          ),
        ),
      );

    // Failures that are retried automatically.
    const AutomaticRetries = ({ groups }) =>
      groups
        .filter((group) => group.by_itself)
        .map((group) =>
          h(
            "p",
            { key: group.cause, className: "text-muted mb-0" },
            h(s2p.IsolatedText, null, group.cause),
            " (" + format.number(group.count) + "): ",
            h(s2p.IsolatedText, null, format.sentence(group.what_to_do)),
          ),
        );

    s2p.NeedsYouSection = function NeedsYouSection({ store, confirm }) {
      const status = store.status;
      const blockedReason = s2p.status.blockedReason(status);
      // The count alone does not show that one row has replaced another.
      const dependencies = status ? [status.needs_you, status.newest_letter] : [0, null];
      const loaded = s2p.useLoaded(() => s2p.runOperation("attention", { limit: PAGE_SIZE }), dependencies);
      const answer = loaded.data;
      const [morePages, setMorePages] = React.useState({ rows: [], next: undefined });
      const [removedIds, setRemovedIds] = React.useState([]);
      const [message, setMessage] = React.useState("");
      const action = s2p.useAction();
      React.useEffect(() => {
        setMorePages({ rows: [], next: undefined });
        setRemovedIds([]);
      }, [answer]);
      const rows = (answer ? answer.rows : []).concat(morePages.rows).filter((row) => !removedIds.includes(row.id));
      const next = morePages.next === undefined ? answer && answer.next : morePages.next;
      const hasMore = next !== null && next !== undefined && next !== false;
      const showMore = () =>
        action.run(async () => {
          const page = await s2p.runOperation("attention", { after: next, limit: PAGE_SIZE });
          setMorePages((before) => ({
            rows: before.rows.concat(page.rows),
            next: page.next === undefined ? null : page.next,
          }));
        });
      const reload = () => {
        loaded.reload();
        s2p.status.refresh();
      };
      const onRemoved = (id, text) => {
        setRemovedIds((before) => before.concat(id));
        setMessage(text);
        // The button that had the focus is gone.
        const section = document.getElementById("stash2plex-needs-you");
        if (section) section.focus({ preventScroll: true });
      };
      const groups = (answer && answer.groups) || [];
      const folders = (answer && answer.folders) || [];
      const grouped = answer ? groupRows(groups, rows) : [];
      return h(
        s2p.Section,
        { name: "needs-you", title: "Needs you" },
        h(s2p.ErrorMessage, { error: loaded.error, retry: loaded.reload }),
        !answer && loaded.loading && h(s2p.Loading),
        h("p", { className: "s2p-message mb-0", role: "status" }, message && h(s2p.IsolatedText, null, message)),
        blockedReason &&
          h(
            "p",
            { className: "s2p-error", "data-kind": "worker" },
            h(s2p.IsolatedText, null, format.sentence(blockedReason)),
          ),
        answer &&
          !blockedReason &&
          !grouped.length &&
          !folders.length &&
          h("p", { className: "text-muted mb-0" }, "Nothing needs you."),
        grouped.map((entry) =>
          h(Group, {
            key: entry.group.cause,
            group: entry.group,
            rows: entry.rows,
            onRemoved: onRemoved,
            onChanged: reload,
            confirm: confirm,
          }),
        ),
        h(AutomaticRetries, { groups: groups }),
        h(MissingFolders, { folders: folders }),
        hasMore && h("div", { className: "s2p-buttons" }, button("Show more", showMore, { disabled: action.busy })),
        h(s2p.ActionResult, { action: action }),
      );
    };
  });
})();
