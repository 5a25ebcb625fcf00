// Small components that all sections use: sections, links, messages, dialogs, progress bars, long texts.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  s2p.define("components", function (h, Bootstrap, React) {
    const Link = s2p.api.libraries.ReactRouterDOM.Link;

    // Text from Stash or Plex, isolated so that right-to-left characters in it do not turn the text around it.
    const IsolatedText = ({ children, className }) => h("bdi", { className: className }, children);

    const ScreenReaderText = ({ children }) => h("span", { className: "sr-only" }, children);

    const ErrorMessage = ({ error, retry }) =>
      error
        ? h(
            "p",
            { role: "alert", className: "s2p-error" },
            s2p.format.sentence(error.message || error),
            retry && h(Bootstrap.Button, { variant: "link", size: "sm", onClick: retry }, "Try again"),
          )
        : null;

    const Loading = ({ children }) =>
      h(
        "span",
        { className: "s2p-loading", role: "status" },
        h(Bootstrap.Spinner, { animation: "border", size: "sm", "aria-hidden": true }),
        " ",
        children || "Loading…",
      );

    // The message or the error of an action (see useAction).
    const ActionResult = ({ action }) =>
      h(
        React.Fragment,
        null,
        h("span", { role: "status", className: "s2p-message" }, action.busy ? "Please wait…" : action.message),
        h(ErrorMessage, { error: action.error }),
      );

    const Section = ({ name, title, buttons, children }) =>
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
          { className: "s2p-section-header" },
          h("h2", { className: "h5", id: "stash2plex-" + name + "-title" }, title),
          buttons,
        ),
        children,
      );

    const SceneLink = ({ id, title }) =>
      h(Link, { to: "/scenes/" + encodeURIComponent(id) }, h(IsolatedText, null, title || "Scene " + id));

    // The cancel button has the focus, so that pressing Enter at once changes nothing.
    function ConfirmDialog({ title, confirmLabel, isDangerous, children, onConfirm, onCancel }) {
      const cancelButton = React.useRef(null);
      return h(
        Bootstrap.Modal,
        {
          show: true,
          onHide: onCancel,
          onEntered: () => cancelButton.current && cancelButton.current.focus(),
          "aria-labelledby": "stash2plex-dialog-title",
        },
        h(
          Bootstrap.Modal.Header,
          null,
          h(Bootstrap.Modal.Title, { as: "h2", className: "h5", id: "stash2plex-dialog-title" }, title),
        ),
        h(Bootstrap.Modal.Body, null, children),
        h(
          Bootstrap.Modal.Footer,
          null,
          h(
            Bootstrap.Button,
            { variant: "secondary", onClick: onCancel, ref: cancelButton, autoFocus: true },
            "Cancel",
          ),
          h(Bootstrap.Button, { variant: isDangerous ? "danger" : "primary", onClick: onConfirm }, confirmLabel),
        ),
      );
    }

    // Return [dialog, confirm]: `confirm({title, body, confirmLabel, isDangerous})` resolves to whether the user agreed.
    s2p.useConfirm = function () {
      const [question, setQuestion] = React.useState(null);
      const close = (isConfirmed) => () => {
        setQuestion(null);
        question.resolve(isConfirmed);
      };
      const confirm = (asked) => new Promise((resolve) => setQuestion(Object.assign({ resolve: resolve }, asked)));
      const dialog =
        question &&
        h(
          ConfirmDialog,
          {
            title: question.title,
            confirmLabel: question.confirmLabel,
            isDangerous: question.isDangerous,
            onConfirm: close(true),
            onCancel: close(false),
          },
          question.body,
        );
      return [dialog, confirm];
    };

    // A line with a copy button. Over plain http browsers do not allow copying: then the line is only selected.
    function CopyField({ text, label }) {
      const input = React.useRef(null);
      const [message, setMessage] = React.useState("");
      const copy = async () => {
        input.current.select();
        let isCopied = false;
        try {
          if (window.navigator.clipboard) {
            await window.navigator.clipboard.writeText(text);
            isCopied = true;
          } else {
            isCopied = document.execCommand("copy");
          }
        } catch (error) {
          isCopied = false;
        }
        setMessage(isCopied ? "Copied" : "Selected. Press Ctrl+C to copy it");
      };
      return h(
        "span",
        { className: "s2p-copy" },
        h("input", {
          className: "form-control form-control-sm text-input",
          readOnly: true,
          value: text,
          ref: input,
          "aria-label": label,
          onFocus: (event) => event.target.select(),
        }),
        h(Bootstrap.Button, { variant: "secondary", size: "sm", onClick: copy }, "Copy"),
        h("span", { role: "status", className: "s2p-message" }, message),
      );
    }

    const ProgressBar = ({ percent, name }) =>
      h(
        "div",
        {
          className: "progress",
          role: "progressbar",
          "aria-label": name,
          "aria-valuenow": percent,
          "aria-valuemin": 0,
          "aria-valuemax": 100,
        },
        h("div", { className: "progress-bar", style: { width: percent + "%" } }),
      );

    // The beginning of a long message, with a button that shows the rest.
    const LONG_TEXT_CHARS = 240;
    function LongText({ children }) {
      const [isOpen, setIsOpen] = React.useState(false);
      const text = String(children || "");
      if (isOpen || text.length <= LONG_TEXT_CHARS) return h(IsolatedText, null, text);
      return h(
        React.Fragment,
        null,
        h(IsolatedText, null, text.slice(0, LONG_TEXT_CHARS) + "…"),
        " ",
        h(
          Bootstrap.Button,
          { variant: "link", size: "sm", className: "p-0", onClick: () => setIsOpen(true) },
          "Show more",
        ),
      );
    }

    // A path that may break after each of its separators.
    const FilePath = ({ children }) => {
      const pieces = String(children || "").match(/[^/\\]*[/\\]|[^/\\]+/g) || [];
      return h(
        IsolatedText,
        { className: "s2p-path" },
        pieces.map((piece, index) => h(React.Fragment, { key: index }, index > 0 && h("wbr"), piece)),
      );
    };

    Object.assign(s2p, {
      IsolatedText,
      ScreenReaderText,
      ErrorMessage,
      Loading,
      ActionResult,
      Section,
      SceneLink,
      CopyField,
      FilePath,
      ProgressBar,
      LongText,
      Link,
    });
  });
})();
