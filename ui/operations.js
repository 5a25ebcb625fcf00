// Send GraphQL requests to Stash and operations to the plugin, and load their answers into components.
// Each operation starts a process on the machine that runs Stash, so send few.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const OPERATION =
    "mutation Stash2PlexOperation($id: ID!, $args: Map) { runPluginOperation(plugin_id: $id, args: $args) }";
  const SETTINGS = 'query Stash2PlexSettings { configuration { plugins(include: ["Stash2Plex"]) } }';

  // Return the response's data. Throw an Error with a sentence for people.
  async function graphql(query, variables) {
    let response;
    try {
      // Relative to the document's base, which includes the prefix of a reverse proxy.
      response = await window.fetch(new URL("graphql", document.baseURI), {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ query: query, variables: variables }),
      });
    } catch (error) {
      throw new Error("Stash cannot be reached. Is it running?");
    }
    if (response.status === 401) throw new Error("You are not logged in to Stash. Reload this page to log in.");
    let answer;
    try {
      answer = await response.json();
    } catch (error) {
      throw new Error("Not Stash but something else answered, for example a proxy (status " + response.status + ").");
    }
    if (answer.errors && answer.errors.length) throw new Error(explain(answer.errors[0].message));
    return answer.data;
  }

  // Translate Stash's own error messages; return others as a sentence.
  function explain(message) {
    const text = String(message || "Stash gave no reason");
    if (/nil pointer/.test(text)) return "Stash does not know the plugin Stash2Plex. Was it removed or updated?";
    if (/is disabled/.test(text)) return "The plugin is disabled in Settings > Plugins.";
    if (/operation cancel|signal: killed/.test(text)) return "The request was cancelled before it finished.";
    return s2p.format.sentence(text);
  }

  // The scenes that an operation changes, as strings; null means any scene.
  const rowScenes = (args) => (args.ids ? args.ids.map((id) => String(id).replace(/^scene_/, "")) : null);
  const CHANGED_SCENES = {
    bind: (args) => [String(args.scene)],
    refuse: (args) => [String(args.scene)],
    unbind: (args) => [String(args.scene)],
    sync_now: (args) => args.ids.map(String),
    retry: rowScenes,
    discard: rowScenes,
  };

  // Run an operation of the plugin and return its answer. Throw an Error with a sentence for people.
  async function runOperation(mode, args) {
    const data = await graphql(OPERATION, { id: s2p.id, args: Object.assign({}, args, { mode: mode }) });
    const answer = data.runPluginOperation;
    if (!answer || typeof answer !== "object") {
      throw new Error("The plugin gave no answer. See Stash's log (Settings > Logs).");
    }
    if (answer.error) throw new Error(s2p.format.sentence(answer.error));
    if (CHANGED_SCENES[mode] && s2p.forgetSceneStates) s2p.forgetSceneStates(CHANGED_SCENES[mode](args));
    return answer;
  }

  // The settings that Stash's own pages need, read once per page load. The other settings, among them the token, are
  // not kept.
  let displaySettings = null;
  function loadDisplaySettings() {
    displaySettings =
      displaySettings ||
      graphql(SETTINGS).then((data) => {
        const settings = data.configuration.plugins.Stash2Plex || {};
        return { show_marks: settings.show_marks !== false, plex_web_url: settings.plex_web_url };
      });
    displaySettings.catch(() => (displaySettings = null));
    return displaySettings;
  }

  Object.assign(s2p, { graphql, runOperation, loadDisplaySettings });

  s2p.define("operations", function (h, Bootstrap, React) {
    // Call `load` (null: nothing to load) whenever a dependency changes. Return {loading, data, error, reload}; the data
    // of the last call stays until the next has ended.
    s2p.useLoaded = function (load, dependencies) {
      const [state, setState] = React.useState({ loading: !!load, data: null, error: null });
      const [reloads, setReloads] = React.useState(0);
      React.useEffect(() => {
        if (!load) return undefined;
        let mounted = true;
        const finish = (result) =>
          mounted && setState((before) => Object.assign({}, before, { loading: false }, result));
        setState((before) => Object.assign({}, before, { loading: true }));
        load().then(
          (data) => finish({ data: data, error: null }),
          (error) => finish({ error: error }),
        );
        return () => {
          mounted = false;
        };
      }, dependencies.concat(reloads));
      return Object.assign({ reload: () => setReloads((before) => before + 1) }, state);
    };

    // What a button does. Return {run, busy, message, error}: `run(work)` awaits `work()`, keeps the message that it
    // returns or the error that it throws, and returns whether it succeeded.
    s2p.useAction = function () {
      const [state, setState] = React.useState({ busy: false, message: "", error: null });
      const mounted = React.useRef(true);
      React.useEffect(() => () => (mounted.current = false), []);
      const run = async (work) => {
        setState({ busy: true, message: "", error: null });
        let result;
        try {
          result = { busy: false, message: (await work()) || "", error: null };
        } catch (error) {
          result = { busy: false, message: "", error: error };
        }
        if (mounted.current) setState(result);
        return !result.error;
      };
      return Object.assign({ run: run }, state);
    };
  });
})();
