// Show what a sync would change, field by field, with the removed and added words marked.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  // Above this length the old and the new text are shown one after the other: marked words would be hard to read.
  const MAX_WORDS = 400;
  // The same if less than this share of the words is common to both.
  const MIN_COMMON_SHARE = 0.34;

  // Return [[kind, text], ...] with the kinds "same", "removed" and "added", by the longest common subsequence of words.
  function diffWords(before, after) {
    const oldWords = before.match(/\s*\S+\s*/g) || [];
    const newWords = after.match(/\s*\S+\s*/g) || [];
    const replaced = [
      ["removed", before],
      ["added", after],
    ];
    if (oldWords.length > MAX_WORDS || newWords.length > MAX_WORDS) return replaced;
    const isSame = (i, j) => oldWords[i].trim() === newWords[j].trim();
    // common[i][j]: how many words the texts from word i and word j on have in common.
    const common = [];
    for (let i = oldWords.length; i >= 0; i -= 1) {
      common[i] = new Array(newWords.length + 1).fill(0);
      for (let j = newWords.length - 1; i < oldWords.length && j >= 0; j -= 1) {
        common[i][j] = isSame(i, j) ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    if (common[0][0] < Math.max(oldWords.length, newWords.length) * MIN_COMMON_SHARE) return replaced;
    const pieces = [];
    const add = (kind, text) => {
      const last = pieces[pieces.length - 1];
      if (last && last[0] === kind) last[1] += text;
      else pieces.push([kind, text]);
    };
    let i = 0;
    let j = 0;
    while (i < oldWords.length || j < newWords.length) {
      if (i < oldWords.length && j < newWords.length && isSame(i, j)) {
        add("same", newWords[j]);
        i += 1;
        j += 1;
      } else if (i < oldWords.length && (j >= newWords.length || common[i + 1][j] >= common[i][j + 1])) {
        add("removed", oldWords[i]);
        i += 1;
      } else {
        add("added", newWords[j]);
        j += 1;
      }
    }
    return pieces;
  }

  s2p.diffWords = diffWords;
  s2p.define("field changes", function (h, Bootstrap, React) {
    const Removed = ({ children }) =>
      h(
        "del",
        { className: "s2p-removed" },
        h(s2p.ScreenReaderText, null, " removed: "),
        h(s2p.IsolatedText, null, children),
      );
    const Added = ({ children }) =>
      h(
        "ins",
        { className: "s2p-added" },
        h(s2p.ScreenReaderText, null, " added: "),
        h(s2p.IsolatedText, null, children),
      );
    const toText = (value) => (value === null || value === undefined ? "" : String(value));

    function ValueChange({ change }) {
      const before = toText(change.old);
      const after = toText(change.new);
      if (!before)
        return h(
          React.Fragment,
          null,
          h("span", { className: "text-muted" }, "empty → "),
          h(Added, null, after || "empty"),
        );
      if (!after)
        return h(React.Fragment, null, h(Removed, null, before), h("span", { className: "text-muted" }, " → empty"));
      const pieces = typeof change.new === "string" ? diffWords(before, after) : [];
      if (!pieces.some(([kind]) => kind === "same"))
        return h(React.Fragment, null, h(Removed, null, before), " → ", h(Added, null, after));
      if (!pieces.some(([kind]) => kind !== "same")) {
        return h("span", { className: "text-muted" }, "only spaces or line breaks differ");
      }
      const components = { same: s2p.IsolatedText, removed: Removed, added: Added };
      return h(
        React.Fragment,
        null,
        pieces.map(([kind, text], index) => h(components[kind], { key: index }, text)),
      );
    }

    function ListChange({ change }) {
      const added = change.added || [];
      const unchangedCount = (change.new || []).length - added.length;
      const rows = (change.removed || []).map((name) => h("li", { key: "-" + name }, h(Removed, null, name)));
      added.forEach((name) => rows.push(h("li", { key: "+" + name }, h(Added, null, name))));
      if (!rows.length) {
        rows.push(h("li", { key: "order" }, "new order: ", h(s2p.IsolatedText, null, (change.new || []).join(", "))));
      } else if (unchangedCount > 0) {
        rows.push(
          h("li", { key: "unchanged", className: "text-muted" }, s2p.format.number(unchangedCount) + " unchanged"),
        );
      }
      return h("ul", { className: "s2p-list-change" }, rows);
    }

    s2p.FieldChanges = ({ changes }) =>
      h(
        "dl",
        { className: "s2p-changes" },
        changes.map((change, index) =>
          h(
            React.Fragment,
            { key: index },
            h("dt", null, s2p.wording.FIELDS[change.field] || change.field),
            h(
              "dd",
              { "data-field": change.field },
              h(Array.isArray(change.new) ? ListChange : ValueChange, { change: change }),
            ),
          ),
        ),
      );

    // What a sync would do with pictures, as text; empty for nothing.
    s2p.describePictures = function (pictures) {
      if (!pictures) return "";
      const { count, fileSize } = s2p.format;
      return [
        pictures.uploads && "upload " + count(pictures.uploads, "picture") + " (" + fileSize(pictures.bytes) + ")",
        pictures.selected && "select " + count(pictures.selected, "picture") + " that Plex already has",
        pictures.removed && "remove " + count(pictures.removed, "picture") + ", as in Stash",
      ]
        .filter(Boolean)
        .join("; ");
    };
  });
})();
