// The small pieces the sections are made of.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  s2p.part("parts", function (h, B, R) {
    const Link = s2p.api.libraries.ReactRouterDOM.Link;

    // Text from Stash or Plex: kept from turning round what stands beside it.
    const Data = ({ children, className }) => h("bdi", { className: className }, children);

    const Hidden = ({ children }) => h("span", { className: "sr-only" }, children);

    const Problem = ({ problem, again }) =>
      problem
        ? h(
            "p",
            { role: "alert", className: "s2p-problem" },
            s2p.words.sentence(problem.message || problem),
            again && h(B.Button, { variant: "link", size: "sm", onClick: again }, "Try again"),
          )
        : null;

    const Busy = ({ children }) =>
      h(
        "span",
        { className: "s2p-busy", role: "status" },
        h(B.Spinner, { animation: "border", size: "sm", "aria-hidden": true }),
        " ",
        children || "One moment",
      );

    // What came of a button, or why nothing did.
    const Outcome = ({ act }) =>
      h(
        R.Fragment,
        null,
        h("span", { role: "status", className: "s2p-said" }, act.busy ? "One moment" : act.said),
        h(Problem, { problem: act.problem }),
      );

    const Section = ({ name, title, extra, children }) =>
      h(
        "section",
        {
          className: "card s2p-section",
          "data-section": name,
          id: "stash2plex-" + name,
          "aria-labelledby": "stash2plex-" + name + "-title",
          tabIndex: -1,
        },
        h(
          "header",
          { className: "s2p-head" },
          h("h2", { className: "h5", id: "stash2plex-" + name + "-title" }, title),
          extra,
        ),
        children,
      );

    const SceneLink = ({ id, title }) =>
      h(Link, { to: "/scenes/" + encodeURIComponent(id) }, h(Data, null, title || "Scene " + id));

    // A dialog that asks first. Whoever presses Enter at once has changed nothing: the button that cancels has the focus.
    function Confirm({ title, yes, danger, children, onYes, onNo }) {
      const no = R.useRef(null);
      return h(
        B.Modal,
        {
          show: true,
          onHide: onNo,
          onEntered: () => no.current && no.current.focus(),
          "aria-labelledby": "stash2plex-asks",
        },
        h(B.Modal.Header, null, h(B.Modal.Title, { as: "h2", className: "h5", id: "stash2plex-asks" }, title)),
        h(B.Modal.Body, null, children),
        h(
          B.Modal.Footer,
          null,
          h(B.Button, { variant: "secondary", onClick: onNo, ref: no, autoFocus: true }, "Cancel"),
          h(B.Button, { variant: danger ? "danger" : "primary", onClick: onYes }, yes),
        ),
      );
    }

    // [element, ask]: ask({title, body, yes, danger}) gives a promise of whether the person said yes.
    s2p.useConfirm = function () {
      const [open, setOpen] = R.useState(null);
      const answer = (value) => () => {
        setOpen(null);
        open.settle(value);
      };
      const ask = (question) => new Promise((settle) => setOpen(Object.assign({ settle: settle }, question)));
      const element =
        open &&
        h(
          Confirm,
          { title: open.title, yes: open.yes, danger: open.danger, onYes: answer(true), onNo: answer(false) },
          open.body,
        );
      return [element, ask];
    };

    // A line to be copied: where the browser allows no copying (plain http), it is selected for the person to do it.
    function Copy({ text, label }) {
      const field = R.useRef(null);
      const [said, setSaid] = R.useState("");
      const copy = async () => {
        field.current.select();
        let done = false;
        try {
          if (window.navigator.clipboard) {
            await window.navigator.clipboard.writeText(text);
            done = true;
          } else {
            done = document.execCommand("copy");
          }
        } catch (error) {
          done = false;
        }
        setSaid(done ? "Copied" : "Selected: copy it with Ctrl+C");
      };
      return h(
        "span",
        { className: "s2p-copy" },
        h("input", {
          className: "form-control form-control-sm text-input",
          readOnly: true,
          value: text,
          ref: field,
          "aria-label": label,
          onFocus: (event) => event.target.select(),
        }),
        h(B.Button, { variant: "secondary", size: "sm", onClick: copy }, "Copy"),
        h("span", { role: "status", className: "s2p-said" }, said),
      );
    }

    // How far something is, in percent.
    const Bar = ({ share, name }) =>
      h(
        "div",
        {
          className: "progress",
          role: "progressbar",
          "aria-label": name,
          "aria-valuenow": share,
          "aria-valuemin": 0,
          "aria-valuemax": 100,
        },
        h("div", { className: "progress-bar", style: { width: share + "%" } }),
      );

    // What servers say may be long: the beginning is shown, the rest on demand.
    const LONGEST = 240;
    function Long({ children }) {
      const [open, setOpen] = R.useState(false);
      const text = String(children || "");
      if (open || text.length <= LONGEST) return h(Data, null, text);
      const more = h(B.Button, { variant: "link", size: "sm", className: "p-0", onClick: () => setOpen(true) }, "more");
      return h(R.Fragment, null, h(Data, null, text.slice(0, LONGEST) + "\u2026"), " ", more);
    }

    // A folder may be long: it may break behind each of its separators.
    const Path = ({ children }) => {
      const pieces = String(children || "").match(/[^/\\]*[/\\]|[^/\\]+/g) || [];
      return h(
        Data,
        { className: "s2p-path" },
        pieces.map((piece, index) => h(R.Fragment, { key: index }, index > 0 && h("wbr"), piece)),
      );
    };

    Object.assign(s2p, { Data, Hidden, Problem, Busy, Outcome, Section, SceneLink, Copy, Path, Bar, Long, Link });
  });
})();
