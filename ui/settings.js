// A block below our settings: connected or why not, the libraries to choose from, the path rule that was learned.
// It writes only through the settings page's own hook: the page writes back all plugins' settings as it loaded them,
// half a second after any change, and would undo any other write.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const split = (text, by) =>
    String(text || "")
      .split(by)
      .map((part) => part.trim())
      .filter(Boolean);

  s2p.part("settings", function (h, B, R) {
    if (!s2p.api.hooks || !s2p.api.hooks.useSettings) throw new Error("no settings hook");

    function Libraries({ sections, own, save }) {
      const chosen = split(own.plex_library, ",");
      // A library is named by its name or its number.
      const isChosen = (one) =>
        chosen.some((name) => name.toLowerCase() === String(one.name).toLowerCase() || name === String(one.key));
      const toggle = (one) => {
        const others = chosen.filter(
          (name) => name.toLowerCase() !== String(one.name).toLowerCase() && name !== String(one.key),
        );
        const name = String(one.name).includes(",") ? String(one.key) : one.name;
        save("plex_library", (isChosen(one) ? others : chosen.concat(name)).join(", "));
      };
      const unknown = chosen.filter(
        (name) =>
          !sections.some((one) => name.toLowerCase() === String(one.name).toLowerCase() || name === String(one.key)),
      );
      return h(
        "fieldset",
        null,
        h("legend", { className: "h6" }, "Plex libraries to write to"),
        sections.map((one) =>
          h(
            "div",
            { key: one.key, className: "form-check" },
            h("input", {
              type: "checkbox",
              className: "form-check-input",
              id: "stash2plex-library-" + one.key,
              checked: isChosen(one),
              disabled: one.usable === false && !isChosen(one),
              onChange: () => toggle(one),
            }),
            h(
              "label",
              { className: "form-check-label", htmlFor: "stash2plex-library-" + one.key },
              h(s2p.Data, null, one.name),
              h(
                "span",
                { className: "text-muted" },
                one.usable === false ? " (cannot hold scenes: " + one.type + ")" : "",
                (one.folders || []).length ? " " : "",
                h(s2p.Data, null, (one.folders || []).join(", ")),
              ),
            ),
          ),
        ),
        !chosen.length &&
          h("p", { className: "text-muted mb-0" }, "None is chosen: every library of films is written to."),
        unknown.length > 0 &&
          h(
            "p",
            { role: "alert", className: "s2p-problem" },
            "Plex has no library called ",
            h(s2p.Data, null, unknown.join(", ")),
            ".",
          ),
      );
    }

    function Rules({ paths, own, save }) {
      const rules = split(own.path_map, ";");
      const known = (rule) => rules.includes(rule.trim());
      const learned = (paths.learned || []).filter((one) => one.rule);
      if (!learned.length) return null;
      return h(
        "div",
        null,
        h("h4", { className: "h6" }, "How Stash's folders are called in Plex, as learned from matches"),
        learned.map((one) =>
          h(
            "div",
            { key: one.rule, className: "s2p-rule" },
            h("code", null, h(s2p.Data, null, one.rule)),
            h("span", { className: "text-muted" }, " " + w.count(one.files, "file")),
            " ",
            known(one.rule)
              ? h("span", { className: "text-muted" }, "in use")
              : h(
                  B.Button,
                  {
                    size: "sm",
                    variant: "secondary",
                    onClick: () => save("path_map", rules.concat(one.rule).join("; ")),
                  },
                  "Use it",
                ),
          ),
        ),
      );
    }

    const connected = (server) =>
      server && server.name
        ? h(
            R.Fragment,
            null,
            "Connected to ",
            h(s2p.Data, null, server.name),
            ", version ",
            h(s2p.Data, null, server.version),
            ".",
          )
        : "Connected.";

    const Block = s2p.guarded(function Block() {
      const settings = s2p.api.hooks.useSettings();
      const asked = s2p.useAnswer(() => s2p.ask("sections"), []);
      const paths = s2p.useAnswer(() => s2p.ask("paths"), []);
      if (!settings || !settings.savePluginSettings) return null;
      const own = (settings.plugins || {})[s2p.id] || {};
      const save = (key, value) => settings.savePluginSettings(s2p.id, Object.assign({}, own, { [key]: value }));
      const again = h(
        B.Button,
        { size: "sm", variant: "secondary", onClick: asked.again, disabled: asked.busy },
        "Ask Plex again",
      );
      return h(
        "div",
        { id: "stash2plex-settings" },
        asked.answer && !asked.problem && h("p", { role: "status" }, connected(asked.answer.server)),
        h(s2p.Problem, { problem: asked.problem }),
        asked.busy && h(s2p.Busy, null, "Asking Plex"),
        asked.answer && h(Libraries, { sections: asked.answer.sections || [], own: own, save: save }),
        h(s2p.Problem, { problem: paths.problem }),
        paths.answer && h(Rules, { paths: paths.answer, own: own, save: save }),
        h("p", { className: "s2p-buttons mb-0" }, again, h(s2p.Link, { to: s2p.route }, "How things are")),
      );
    });

    s2p.api.patch.instead("PluginSettings", function (props) {
      const next = arguments[arguments.length - 1];
      const theirs = next.apply(null, Array.prototype.slice.call(arguments, 0, -1));
      return props && props.pluginID === s2p.id ? h(R.Fragment, null, theirs, h(Block)) : theirs;
    });
  });
})();
