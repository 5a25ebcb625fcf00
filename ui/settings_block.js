// The block below the plugin's settings: whether Plex is connected, its libraries to choose from, and path rules that
// were learned from matches.
// It saves through the settings page's own hook. That page writes the settings of all plugins, as it loaded them, half a
// second after any change, and would undo what was saved in another way.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  const splitList = (text, separator) =>
    String(text || "")
      .split(separator)
      .map((part) => part.trim())
      .filter(Boolean);
  // The setting names a library by its name or its key.
  const isLibrary = (library, name) =>
    name.toLowerCase() === String(library.name).toLowerCase() || name === String(library.key);

  s2p.define("settings block", function (h, Bootstrap, React) {
    if (!s2p.api.hooks || !s2p.api.hooks.useSettings) throw new Error("This Stash has no hook for settings");

    function LibraryCheckbox({ library, isSelected, onToggle }) {
      const id = "stash2plex-library-" + library.key;
      return h(
        "div",
        { className: "form-check" },
        h("input", {
          type: "checkbox",
          className: "form-check-input",
          id: id,
          checked: isSelected,
          disabled: library.usable === false && !isSelected,
          onChange: onToggle,
        }),
        h(
          "label",
          { className: "form-check-label", htmlFor: id },
          h(s2p.IsolatedText, null, library.name),
          h(
            "span",
            { className: "text-muted" },
            library.usable === false ? " (cannot hold scenes, type: " + library.type + ")" : "",
            (library.folders || []).length ? " " : "",
            h(s2p.IsolatedText, null, (library.folders || []).join(", ")),
          ),
        ),
      );
    }

    function Libraries({ libraries, settings, save }) {
      const selected = splitList(settings.plex_library, ",");
      const isSelected = (library) => selected.some((name) => isLibrary(library, name));
      const unknown = selected.filter((name) => !libraries.some((library) => isLibrary(library, name)));
      const toggle = (library) => {
        const others = selected.filter((name) => !isLibrary(library, name));
        const name = String(library.name).includes(",") ? String(library.key) : library.name;
        save("plex_library", (isSelected(library) ? others : selected.concat(name)).join(", "));
      };
      return h(
        "fieldset",
        null,
        h("legend", { className: "h6" }, "Plex libraries to write to"),
        libraries.map((library) =>
          h(LibraryCheckbox, {
            key: library.key,
            library: library,
            isSelected: isSelected(library),
            onToggle: () => toggle(library),
          }),
        ),
        !selected.length && h("p", { className: "text-muted mb-0" }, "None selected: all movie libraries are used."),
        unknown.length > 0 &&
          h(
            "p",
            { role: "alert", className: "s2p-error" },
            "Plex has no library called ",
            h(s2p.IsolatedText, null, unknown.join(", ")),
            ". Correct the setting Plex libraries.",
          ),
      );
    }

    function LearnedRules({ paths, settings, save }) {
      const rules = splitList(settings.path_map, ";");
      const learned = (paths.learned || []).filter((pair) => pair.rule);
      if (!learned.length) return null;
      return h(
        "div",
        null,
        h("h4", { className: "h6" }, "Path rules learned from matched files"),
        learned.map((pair) =>
          h(
            "div",
            { key: pair.rule, className: "s2p-rule" },
            h("code", null, h(s2p.IsolatedText, null, pair.rule)),
            h("span", { className: "text-muted" }, " " + format.count(pair.files, "file")),
            " ",
            rules.includes(pair.rule.trim())
              ? h("span", { className: "text-muted" }, "in use")
              : h(
                  Bootstrap.Button,
                  {
                    size: "sm",
                    variant: "secondary",
                    onClick: () => save("path_map", rules.concat(pair.rule).join("; ")),
                  },
                  "Add to Path map",
                ),
          ),
        ),
      );
    }

    const Connection = ({ server }) =>
      h(
        "p",
        { role: "status" },
        "Connected",
        server &&
          server.name &&
          h(
            React.Fragment,
            null,
            " to ",
            h(s2p.IsolatedText, null, server.name),
            ", version ",
            h(s2p.IsolatedText, null, server.version),
          ),
        ".",
      );

    const SettingsBlock = s2p.withErrorBoundary(function SettingsBlock() {
      const page = s2p.api.hooks.useSettings();
      const sections = s2p.useLoaded(() => s2p.runOperation("sections"), []);
      const paths = s2p.useLoaded(() => s2p.runOperation("paths"), []);
      if (!page || !page.savePluginSettings) return null;
      const settings = (page.plugins || {})[s2p.id] || {};
      const save = (key, value) => page.savePluginSettings(s2p.id, Object.assign({}, settings, { [key]: value }));
      return h(
        "div",
        { id: "stash2plex-settings" },
        sections.data && !sections.error && h(Connection, { server: sections.data.server }),
        h(s2p.ErrorMessage, { error: sections.error }),
        sections.loading && h(s2p.Loading, null, "Connecting to Plex…"),
        sections.data && h(Libraries, { libraries: sections.data.sections || [], settings: settings, save: save }),
        h(s2p.ErrorMessage, { error: paths.error }),
        paths.data && h(LearnedRules, { paths: paths.data, settings: settings, save: save }),
        h(
          "p",
          { className: "s2p-buttons mb-0" },
          h(
            Bootstrap.Button,
            { size: "sm", variant: "secondary", onClick: sections.reload, disabled: sections.loading },
            "Check connection",
          ),
          h(s2p.Link, { to: s2p.route }, "Open the Stash2Plex page"),
        ),
      );
    });

    s2p.api.patch.instead("PluginSettings", function (props) {
      const renderOriginal = arguments[arguments.length - 1];
      const original = renderOriginal.apply(null, Array.prototype.slice.call(arguments, 0, -1));
      return props && props.pluginID === s2p.id ? h(React.Fragment, null, original, h(SettingsBlock)) : original;
    });
  });
})();
