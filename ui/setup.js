// Create window.Stash2Plex, the namespace that all other scripts share, and the error boundary around their components.
// Stash loads the scripts in the order of the manifest; this one comes before all that use the namespace.
(function () {
  "use strict";
  const s2p = (window.Stash2Plex = { id: "Stash2Plex", route: "/plugins/stash2plex", missing: [] });

  // Run `build(createElement, Bootstrap, React)` for one feature. If this version of Stash lacks what the feature needs,
  // its name is added to `missing` and the other features still work.
  s2p.define = function (name, build) {
    if (!s2p.React) return;
    try {
      build(s2p.React.createElement, s2p.Bootstrap, s2p.React);
    } catch (error) {
      s2p.missing.push(name);
    }
  };

  const api = window.PluginApi;
  if (!api || !api.React || !api.patch || !api.libraries || !api.libraries.Bootstrap) return;

  const React = api.React;
  s2p.api = api;
  s2p.React = React;
  s2p.Bootstrap = api.libraries.Bootstrap;

  class ErrorBoundary extends React.Component {
    constructor(props) {
      super(props);
      this.state = { error: null };
    }
    static getDerivedStateFromError(error) {
      return { error: error };
    }
    render() {
      if (!this.state.error) return this.props.children;
      if (this.props.silent) return null;
      const reason = String(this.state.error.message || this.state.error);
      return React.createElement("p", { role: "alert" }, "This part of Stash2Plex could not be shown: ", reason);
    }
  }

  // Wrap a component so that an error in it shows one sentence (nothing if `silent`) instead of breaking Stash's page.
  s2p.withErrorBoundary = function (component, silent) {
    return function WithErrorBoundary(props) {
      return React.createElement(ErrorBoundary, { silent: silent }, React.createElement(component, props));
    };
  };
})();
