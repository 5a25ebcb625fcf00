// Start the worker once per browser session, because Stash starts no plugin when it starts itself.
// The operation `wake` starts the worker if jobs are waiting and a reconciliation if one is due. Errors are ignored
// here; the plugin's page shows them.
(function () {
  "use strict";
  const SESSION_KEY = "stash2plex-worker-started";
  const MUTATION = 'mutation { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "wake" }) }';
  try {
    if (window.sessionStorage.getItem(SESSION_KEY)) return;
    window.sessionStorage.setItem(SESSION_KEY, "1");
  } catch (error) {
    // Session storage is blocked: run once per page load instead.
  }
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: MUTATION }),
  };
  // Relative to the document's base, which includes the prefix of a reverse proxy.
  window.fetch(new URL("graphql", document.baseURI), request).catch(function () {});
})();
