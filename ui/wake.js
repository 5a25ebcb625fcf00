// Nothing starts a plugin when Stash starts, but people open its page: once per browser session the operation `wake`
// starts what is waiting or due. It is quiet whatever happens; the plugin's own page shows how things are.
(function () {
  "use strict";
  const KEY = "stash2plex-woken";
  const WAKE = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "wake" }) }';
  try {
    if (window.sessionStorage.getItem(KEY)) return;
    window.sessionStorage.setItem(KEY, "1");
  } catch (error) {
    // A browser that keeps nothing: once per page load, then.
  }
  const ask = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: WAKE }),
  };
  // Relative to the page's base, which knows a reverse proxy's prefix.
  window.fetch(new URL("graphql", document.baseURI), ask).catch(function () {});
})();
