// The plugin's page at /plugins/stash2plex: the links to its sections, and the sections.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  // [name in ids and data-section, title, component in s2p]
  const SECTIONS = [
    ["status", "Status", "StatusSection"],
    ["needs-you", "Needs you", "NeedsYouSection"],
    ["preview", "Preview", "PreviewSection"],
    ["history", "History", "HistorySection"],
    ["health", "Health", "HealthSection"],
    ["tasks", "Tasks", "TasksSection"],
  ];

  s2p.define("page", function (h, Bootstrap, React) {
    // Buttons that move to a section. Links with a fragment would leave the page, since its base address is Stash's.
    const SectionNavigation = ({ needsYouCount }) =>
      h(
        "nav",
        { className: "s2p-navigation", "aria-label": "Sections" },
        SECTIONS.map(([name, title]) => {
          const goToSection = () => {
            const section = document.getElementById("stash2plex-" + name);
            if (!section) return;
            section.scrollIntoView({ block: "start" });
            section.focus({ preventScroll: true });
          };
          const badge =
            name === "needs-you" &&
            needsYouCount > 0 &&
            h(React.Fragment, null, " ", h(Bootstrap.Badge, { variant: "warning" }, s2p.format.number(needsYouCount)));
          return h(Bootstrap.Button, { key: name, variant: "link", size: "sm", onClick: goToSection }, title, badge);
        }),
      );

    // A section that this version of Stash lacks something for is left out.
    const sections = SECTIONS.filter(([, , component]) => s2p[component]).map(([name, , component]) => [
      name,
      s2p.withErrorBoundary(s2p[component]),
    ]);

    function Page() {
      const store = s2p.useStatus(true);
      const [dialog, confirm] = s2p.useConfirm();
      React.useEffect(() => {
        const titleBefore = document.title;
        document.title = "Stash2Plex | Stash";
        return () => (document.title = titleBefore);
      }, []);
      return h(
        "div",
        { id: "stash2plex" },
        h(
          "header",
          { className: "s2p-page-header" },
          h("h1", { className: "h3" }, "Stash2Plex"),
          h(SectionNavigation, { needsYouCount: s2p.status.needsYouCount(store.status) }),
        ),
        sections.map(([name, component]) => h(component, { key: name, store: store, confirm: confirm })),
        dialog,
      );
    }

    s2p.api.register.route(s2p.route, s2p.withErrorBoundary(Page));
  });
})();
