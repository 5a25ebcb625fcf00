// The icon in Stash's top bar that links to the plugin's page, with a number while something needs you.
// Stash renders it twice, for wide and for narrow windows.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;

  s2p.define("top bar icon", function (h, Bootstrap, React) {
    const NavLink = s2p.api.libraries.ReactRouterDOM.NavLink;
    const Arrows = () =>
      h(
        "svg",
        { className: "s2p-icon", viewBox: "0 0 24 24", "aria-hidden": true, focusable: "false" },
        h("path", { d: "M4 10a8 8 0 0 1 13.7-4.6L20 7.7M20 3v4.7h-4.7M20 14a8 8 0 0 1-13.7 4.6L4 16.3M4 21v-4.7h4.7" }),
      );
    const Icon = s2p.withErrorBoundary(function Icon() {
      const count = s2p.status.needsYouCount(s2p.useStatus(false).status);
      const countLabel = s2p.format.number(count) + (count === 1 ? " needs you" : " need you");
      return h(
        NavLink,
        {
          to: s2p.route,
          className: "nav-utility",
          "aria-label": count ? "Stash2Plex, " + countLabel : "Stash2Plex",
        },
        h(
          Bootstrap.Button,
          {
            className: "minimal d-flex align-items-center h-100 s2p-icon-button",
            title: "Stash2Plex",
            tabIndex: -1,
          },
          h(Arrows),
          count > 0 && h(Bootstrap.Badge, { variant: "warning" }, s2p.format.number(count)),
        ),
      );
    }, true);
    s2p.api.patch.before("MainNavBar.UtilityItems", (props) => [
      Object.assign({}, props, { children: h(React.Fragment, null, props && props.children, h(Icon)) }),
    ]);
  });
})();
