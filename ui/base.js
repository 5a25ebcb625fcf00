// What all parts of the page share: one name, Stash's React, and the parts' own guard. All files are loaded as one
// script, in the order of the manifest, and none may take the others with it.
(function () {
  "use strict";
  const s2p = (window.Stash2Plex = { id: "Stash2Plex", route: "/plugins/stash2plex", missing: [] });
  // A part that this Stash has no place for is left out; the rest works.
  s2p.part = function (name, build) {
    if (!s2p.h) return;
    try {
      build(s2p.h, s2p.B, s2p.R);
    } catch (error) {
      s2p.missing.push(name);
    }
  };

  const api = window.PluginApi;
  if (!api || !api.React || !api.patch || !api.libraries || !api.libraries.Bootstrap) return;

  const React = api.React;
  s2p.api = api;
  s2p.h = React.createElement;
  s2p.B = api.libraries.Bootstrap;
  s2p.R = React;

  // A mistake in one part is a sentence in its place, never an empty page of Stash.
  class Guard extends React.Component {
    constructor(props) {
      super(props);
      this.state = { error: null };
    }
    static getDerivedStateFromError(error) {
      return { error: error };
    }
    render() {
      if (!this.state.error) return this.props.children;
      if (this.props.quiet) return null;
      const why = String((this.state.error && this.state.error.message) || this.state.error);
      return s2p.h("p", { role: "alert" }, "This part of Stash2Plex could not be shown: ", why);
    }
  }
  s2p.guarded = function (component, quiet) {
    return function Guarded(props) {
      return s2p.h(Guard, { quiet: quiet }, s2p.h(component, props));
    };
  };
})();
