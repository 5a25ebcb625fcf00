// The page itself, at its own address.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const SECTIONS = [
    ["now", "Now"],
    ["attention", "Needs you"],
    ["preview", "Preview"],
    ["history", "History"],
    ["health", "Health"],
    ["tasks", "Tasks"],
  ];

  s2p.part("page", function (h, B, R) {
    // By keyboard each section is one press away; a link would leave the page, whose base is Stash's.
    const Ways = ({ needs }) =>
      h(
        "nav",
        { className: "s2p-ways", "aria-label": "Sections" },
        SECTIONS.map(([name, title]) => {
          const go = () => {
            const section = document.getElementById("stash2plex-" + name);
            if (!section) return;
            section.scrollIntoView({ block: "start" });
            section.focus({ preventScroll: true });
          };
          const badge =
            name === "attention" &&
            needs > 0 &&
            h(R.Fragment, null, " ", h(B.Badge, { variant: "warning" }, s2p.words.number(needs)));
          return h(B.Button, { key: name, variant: "link", size: "sm", onClick: go }, title, badge);
        }),
      );

    function Page() {
      const store = s2p.useStatus(true);
      const [dialog, confirm] = s2p.useConfirm();
      R.useEffect(() => {
        const was = document.title;
        document.title = "Stash2Plex | Stash";
        return () => (document.title = was);
      }, []);
      const section = (name, props) => s2p[name] && h(s2p[name], Object.assign({ key: name }, props));
      return h(
        "div",
        { id: "stash2plex" },
        h(
          "header",
          { className: "s2p-top" },
          h("h1", { className: "h3" }, "Stash2Plex"),
          h(Ways, { needs: s2p.status.needs(store.status) }),
        ),
        section("Now", { store: store }),
        section("Attention", { store: store, confirm: confirm }),
        section("Preview", {}),
        section("History", { store: store }),
        section("Health", {}),
        section("Tasks", { confirm: confirm }),
        dialog,
      );
    }

    ["Now", "Attention", "Preview", "History", "Health", "Tasks"].forEach((name) => {
      if (s2p[name]) s2p[name] = s2p.guarded(s2p[name]);
    });
    s2p.api.register.route(s2p.route, s2p.guarded(Page));
  });

  // The icon in the top bar. Stash draws it twice, for wide and narrow windows; a number only where a person is needed.
  s2p.part("icon", function (h, B, R) {
    const NavLink = s2p.api.libraries.ReactRouterDOM.NavLink;
    const Drawing = () =>
      h(
        "svg",
        { className: "s2p-icon", viewBox: "0 0 24 24", "aria-hidden": true, focusable: "false" },
        h("path", { d: "M4 10a8 8 0 0 1 13.7-4.6L20 7.7M20 3v4.7h-4.7M20 14a8 8 0 0 1-13.7 4.6L4 16.3M4 21v-4.7h4.7" }),
      );
    const Icon = s2p.guarded(function Icon() {
      const needs = s2p.status.needs(s2p.useStatus(false).status);
      return h(
        NavLink,
        {
          to: s2p.route,
          className: "nav-utility",
          "aria-label": needs ? "Stash2Plex, " + s2p.words.number(needs) + " need you" : "Stash2Plex",
        },
        h(
          B.Button,
          { className: "minimal d-flex align-items-center h-100 s2p-nav", title: "Stash2Plex", tabIndex: -1 },
          h(Drawing),
          needs > 0 && h(B.Badge, { variant: "warning" }, s2p.words.number(needs)),
        ),
      );
    }, true);
    s2p.api.patch.before("MainNavBar.UtilityItems", (props) => [
      Object.assign({}, props, { children: h(R.Fragment, null, props && props.children, h(Icon)) }),
    ]);
  });
})();
