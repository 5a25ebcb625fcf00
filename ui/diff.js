// Old and new, field by field, with the words that come and go marked.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  // Beyond so many words the two are shown one after the other: nobody reads marks in that.
  const MOST = 400;
  const ENOUGH = 0.34;
  // Plex's names of fields, where people have others.
  const LABELS = {
    originallyAvailableAt: "date",
    userRating: "rating",
    actor: "actors",
    genre: "genres",
    director: "directors",
    collection: "collections",
  };

  // [kind, text] with kind "same", "removed" or "added": the longest common run of words stays.
  function words(before, after) {
    const a = before.match(/\s*\S+\s*/g) || [];
    const b = after.match(/\s*\S+\s*/g) || [];
    if (a.length > MOST || b.length > MOST)
      return [
        ["removed", before],
        ["added", after],
      ];
    const alike = (one, other) => one.trim() === other.trim();
    const long = [];
    for (let i = a.length; i >= 0; i -= 1) {
      long[i] = new Array(b.length + 1).fill(0);
      for (let j = b.length - 1; i < a.length && j >= 0; j -= 1) {
        long[i][j] = alike(a[i], b[j]) ? long[i + 1][j + 1] + 1 : Math.max(long[i + 1][j], long[i][j + 1]);
      }
    }
    // Where hardly a word stays, marks between them only confuse.
    if (long[0][0] < Math.max(a.length, b.length) * ENOUGH)
      return [
        ["removed", before],
        ["added", after],
      ];
    const found = [];
    const add = (kind, text) => {
      const last = found[found.length - 1];
      if (last && last[0] === kind) last[1] += text;
      else found.push([kind, text]);
    };
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && alike(a[i], b[j])) {
        add("same", b[j]);
        i += 1;
        j += 1;
      } else if (i < a.length && (j >= b.length || long[i + 1][j] >= long[i][j + 1])) {
        add("removed", a[i]);
        i += 1;
      } else {
        add("added", b[j]);
        j += 1;
      }
    }
    return found;
  }

  s2p.diffWords = words;
  s2p.part("diff", function (h, B, R) {
    const Gone = (props) =>
      h("del", { className: "s2p-del" }, h(s2p.Hidden, null, " removed: "), h(s2p.Data, null, props.children));
    const Come = (props) =>
      h("ins", { className: "s2p-ins" }, h(s2p.Hidden, null, " added: "), h(s2p.Data, null, props.children));
    const text = (value) => (value === null || value === undefined ? "" : String(value));

    function Scalar({ change }) {
      const before = text(change.old);
      const after = text(change.new);
      if (!before)
        return h(
          R.Fragment,
          null,
          h("span", { className: "text-muted" }, "nothing → "),
          h(Come, null, after || "nothing"),
        );
      if (!after)
        return h(R.Fragment, null, h(Gone, null, before), h("span", { className: "text-muted" }, " → nothing"));
      if (typeof change.new !== "string")
        return h(R.Fragment, null, h(Gone, null, before), " → ", h(Come, null, after));
      const pieces = words(before, after);
      if (!pieces.some(([kind]) => kind === "same"))
        return h(R.Fragment, null, h(Gone, null, before), " → ", h(Come, null, after));
      if (!pieces.some(([kind]) => kind !== "same")) {
        return h("span", { className: "text-muted" }, "only spaces or line breaks differ");
      }
      return h(
        R.Fragment,
        null,
        pieces.map(([kind, piece], index) =>
          h(kind === "same" ? s2p.Data : kind === "added" ? Come : Gone, { key: index }, piece),
        ),
      );
    }

    function List({ change }) {
      const stays = (change.new || []).length - (change.added || []).length;
      const moves = (change.removed || []).map((name) => h("li", { key: "-" + name }, h(Gone, null, name)));
      (change.added || []).forEach((name) => moves.push(h("li", { key: "+" + name }, h(Come, null, name))));
      if (!moves.length) {
        moves.push(h("li", { key: "order" }, "in the order ", h(s2p.Data, null, (change.new || []).join(", "))));
      } else if (stays > 0) {
        moves.push(h("li", { key: "stays", className: "text-muted" }, s2p.words.count(stays, "stays", "stay")));
      }
      return h("ul", { className: "s2p-moves" }, moves);
    }

    s2p.Changes = ({ changes }) =>
      h(
        "dl",
        { className: "s2p-changes" },
        changes.map((change, index) =>
          h(
            R.Fragment,
            { key: index },
            h("dt", null, LABELS[change.field] || change.field),
            h("dd", { "data-field": change.field }, h(Array.isArray(change.new) ? List : Scalar, { change: change })),
          ),
        ),
      );

    // "2 pictures uploaded": what happens to pictures, as words, or nothing.
    s2p.pictureWords = function (pictures) {
      if (!pictures) return "";
      const words_ = s2p.words;
      return [
        pictures.uploads &&
          words_.count(pictures.uploads, "picture") + " to be uploaded (" + words_.size(pictures.bytes) + ")",
        pictures.selected && words_.count(pictures.selected, "picture") + " to be selected, which Plex has already",
        pictures.removed && words_.count(pictures.removed, "picture") + " to go, as in Stash",
      ]
        .filter(Boolean)
        .join("; ");
    };
  });
})();
