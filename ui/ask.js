// Questions to the plugin and to Stash. Each question to the plugin is a process on somebody's NAS.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const OPERATION = "mutation Stash2PlexAsk($id: ID!, $args: Map) { runPluginOperation(plugin_id: $id, args: $args) }";

  // Raises an Error with a sentence.
  async function graphql(query, variables) {
    let response;
    try {
      // Relative to the page's base, which knows a reverse proxy's prefix.
      response = await window.fetch(new URL("graphql", document.baseURI), {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ query: query, variables: variables }),
      });
    } catch (error) {
      throw new Error("Stash cannot be reached. Is it running?");
    }
    if (response.status === 401) throw new Error("Stash asks who you are: reload this page to log in.");
    let answer;
    try {
      answer = await response.json();
    } catch (error) {
      throw new Error("Something between here and Stash answered instead of it (status " + response.status + ").");
    }
    if (answer.errors && answer.errors.length) throw new Error(inWords(answer.errors[0].message));
    return answer.data;
  }

  function inWords(message) {
    const text = String(message || "no reason given");
    if (/nil pointer/.test(text))
      return "Stash does not know the plugin Stash2Plex any more: was it removed or updated?";
    if (/is disabled/.test(text)) return "The plugin is switched off in Settings > Plugins.";
    if (/operation cancel|signal: killed/.test(text)) return "The question was broken off before there was an answer.";
    return s2p.words.sentence(text);
  }

  // The scenes that an operation does something about, as text; null for any, undefined for none.
  const TOUCHES = {
    bind: (args) => [String(args.scene)],
    refuse: (args) => [String(args.scene)],
    unbind: (args) => [String(args.scene)],
    sync_now: (args) => args.ids.map(String),
    retry: (args) => ofRows(args),
    discard: (args) => ofRows(args),
  };
  const ofRows = (args) => (args.ids ? args.ids.map((id) => String(id).replace(/^scene_/, "")) : null);

  // The answer of an operation. Raises an Error with a sentence.
  async function ask(mode, args) {
    const data = await graphql(OPERATION, { id: s2p.id, args: Object.assign({}, args, { mode: mode }) });
    const answer = data.runPluginOperation;
    if (!answer || typeof answer !== "object") {
      throw new Error("The plugin gave no answer: Stash's log says why (Settings > Logs).");
    }
    if (answer.error) throw new Error(s2p.words.sentence(answer.error));
    if (TOUCHES[mode] && s2p.forget) s2p.forget(TOUCHES[mode](args));
    return answer;
  }

  s2p.graphql = graphql;
  s2p.ask = ask;

  s2p.part("useAnswer", function (h, B, R) {
    // The answer to a question, asked when what it depends on changes; what came before stays until there is more.
    s2p.useAnswer = function (question, depends) {
      const [state, setState] = R.useState({ busy: !!question, answer: null, problem: null });
      const [turn, setTurn] = R.useState(0);
      R.useEffect(() => {
        if (!question) return undefined;
        let here = true;
        const settle = (change) => here && setState((was) => Object.assign({}, was, { busy: false }, change));
        setState((was) => Object.assign({}, was, { busy: true }));
        question().then(
          (answer) => settle({ answer: answer, problem: null }),
          (problem) => settle({ problem: problem }),
        );
        return () => {
          here = false;
        };
      }, depends.concat(turn));
      return Object.assign({ again: () => setTurn((now) => now + 1) }, state);
    };

    // Something that a button does: one at a time; what came of it, or why nothing did, is said beside it.
    s2p.useAct = function () {
      const [state, setState] = R.useState({ busy: false, said: "", problem: null });
      const here = R.useRef(true);
      R.useEffect(() => () => (here.current = false), []);
      const run = async (work) => {
        setState({ busy: true, said: "", problem: null });
        let end;
        try {
          end = { busy: false, said: (await work()) || "", problem: null };
        } catch (problem) {
          end = { busy: false, said: "", problem: problem };
        }
        if (here.current) setState(end);
        return !end.problem;
      };
      return Object.assign({ run: run }, state);
    };
  });
})();
