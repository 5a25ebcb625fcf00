// The tab "Plex" of a scene: what became of it, what differs now, and a way to set it right at once.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const KEY = "stash2plex-panel";
  const SOON = 2000;
  const SELDOM = 15000;
  const WEB = "https://app.plex.tv/desktop";
  const SETTING = 'query Stash2PlexSettings { configuration { plugins(include: ["Stash2Plex"]) } }';

  // The settings that concern what Stash's pages show, read once a page load. The others are not kept.
  let settings = null;
  s2p.shown = function () {
    settings =
      settings ||
      s2p.graphql(SETTING).then((data) => {
        const own = data.configuration.plugins.Stash2Plex || {};
        return { show_marks: own.show_marks !== false, plex_web_url: own.plex_web_url };
      });
    settings.catch(() => (settings = null));
    return settings;
  };

  // Never built from plex_url, which is often a container's name; null where it would not lead into the web.
  s2p.plexAddress = function (web, machine, key) {
    const base = w.address(web || WEB);
    if (!base || !machine || !key) return null;
    const page = base.split("#")[0].replace(/\/+$/, "");
    const door = /\.html?$/.test(page) ? "#!" : "/#!";
    const details = encodeURIComponent("/library/metadata/" + key);
    return page + door + "/server/" + encodeURIComponent(machine) + "/details?key=" + details;
  };

  const STATES = {
    "in step": "In step with Plex",
    waiting: "Waits to be written",
    doubtful: "Left alone: the match is doubtful",
    failed: "Could not be written",
    missing: "Not in Plex",
    "left alone": "Left alone",
    unknown: "Not looked at yet",
  };

  // What the time of a scene's verdict is the time of.
  function whenLabel(scene) {
    if (scene.state !== "in step") return "Last looked at";
    return scene.verdict === "pushed" ? "Last written" : "Last compared";
  }

  // How long to wait before a scene that waits is looked at again: seldom where nothing is going to happen soon.
  s2p.scenePause = function (waiting, now) {
    const next = waiting && waiting.next;
    const soon = next ? next - now <= 5 : !(waiting && waiting.for_file);
    return soon ? SOON : SELDOM;
  };

  // What giving back would do to a scene, asked before a person decides; in general words where Plex cannot be asked.
  async function givesBack(id) {
    const after = " The scene is then left alone until you sync it.";
    try {
      const found = await s2p.ask("give_back", { scenes: [Number(id)], limit: 1 });
      const items = w.count(found.items, "item was", "items were") + " written for this scene, ";
      const change = w.count(found.would_change, "of them gets back", "of them get back");
      return w.upper(items) + change + " the values from before the first write." + after;
    } catch (problem) {
      return "Every item that was written for this scene gets the values from before the first write." + after;
    }
  }

  s2p.part("scene tab", function (h, B, R) {
    const Fact = ({ name, children }) => h(R.Fragment, null, h("dt", null, name), h("dd", null, children));

    function Item({ item, machine, web }) {
      const address = s2p.plexAddress(web, machine, item.rating_key);
      return h(
        R.Fragment,
        null,
        h(s2p.Data, null, item.library || "Item " + item.rating_key),
        ": ",
        h(s2p.Path, null, item.path),
        item.proof && h("div", { className: "text-muted" }, h(s2p.Data, null, w.sentence(item.proof))),
        address &&
          h("div", null, h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open in Plex")),
      );
    }

    function Differs({ id, at, known }) {
      const asked = s2p.useAnswer(() => s2p.ask("preview", { scenes: [Number(id)] }), [id, at]);
      const answer = asked.answer;
      const one = answer && answer.changes[0];
      const left = answer && !one && answer.left_out[0];
      const why =
        left && left.reason !== known ? w.upper(w.sentence(left.reason)) : "Nothing, as long as it is left alone.";
      return h(
        "div",
        null,
        h("h3", { className: "h6" }, "What a sync would write"),
        h(s2p.Problem, { problem: asked.problem, again: asked.again }),
        !answer && asked.busy && h(s2p.Busy, null, "Comparing with Plex"),
        answer && one && s2p.previewWrites(one) && h(s2p.Forecast, { one: one, plain: true }),
        answer &&
          one &&
          !s2p.previewWrites(one) &&
          h("p", { className: "text-muted" }, "Nothing: Plex shows the same."),
        answer && !one && h("p", { className: "text-muted" }, h(s2p.Data, null, why)),
      );
    }

    function Facts({ scene, machine, web, act, confirm, again, now }) {
      const waiting = scene.waiting;
      const askAgain = () =>
        act.run(async () => {
          await s2p.ask("unbind", { scene: scene.id });
          again();
          return "Queued: what Plex has is looked at again";
        });
      const unbind = () =>
        act.run(async () => {
          const answer = await s2p.ask("unbind", { scene: scene.id });
          again();
          if (!answer.can_give_back) return "Not bound any more";
          const yes = await confirm({
            title: "Give the former values back?",
            body: await givesBack(scene.id),
            yes: "Give back",
          });
          if (!yes) {
            await s2p.ask("sync_now", { ids: [Number(scene.id)] });
            again();
            return "Not bound any more; what was written stays";
          }
          await s2p.jobs.start("Give Back to Plex", { scenes: [Number(scene.id)], confirm: true });
          return "Not bound any more; the former values are given back";
        });
      return h(
        "dl",
        { className: "s2p-facts" },
        (scene.items || []).map((item) =>
          h(Fact, { key: item.rating_key, name: "Item" }, h(Item, { item: item, machine: machine, web: web })),
        ),
        scene.at && h(Fact, { name: whenLabel(scene) }, w.when(scene.at, now)),
        waiting &&
          h(
            Fact,
            { name: "Waits" },
            waiting.since ? "for " + w.span(now - waiting.since) : "now",
            waiting.next && waiting.next > now ? ", tried again in " + w.span(waiting.next - now) : "",
            waiting.error && h(R.Fragment, null, ": ", h(s2p.Data, null, w.sentence(waiting.error))),
          ),
        scene.bound &&
          h(
            Fact,
            { name: "Bound" },
            "by hand to item " + scene.bound + " ",
            h(B.Button, { variant: "link", size: "sm", onClick: unbind, disabled: act.busy }, "Unbind"),
          ),
        scene.refused > 0 &&
          !scene.bound &&
          h(
            Fact,
            { name: "Refused" },
            w.count(scene.refused, "candidate") + " by hand ",
            h(B.Button, { variant: "link", size: "sm", onClick: askAgain, disabled: act.busy }, "Ask again"),
          ),
      );
    }

    const Pane = s2p.guarded(function Pane({ scene }) {
      const id = String(scene.id);
      const [turn, setTurn] = R.useState(0);
      const asked = s2p.useAnswer(
        () => Promise.all([s2p.ask("scene", { ids: [Number(id)] }), s2p.shown().catch(() => ({}))]),
        [id, scene.updated_at, turn],
      );
      const act = s2p.useAct();
      const [dialog, confirm] = s2p.useConfirm();
      const answer = asked.answer && asked.answer[0];
      const one = answer && answer.scenes[id];
      const again = () => setTurn((now) => now + 1);
      // While it waits somebody wants to see it arrive.
      R.useEffect(() => {
        if (!one || one.state !== "waiting" || asked.busy) return undefined;
        const look = () => !document.hidden && again();
        const timer = window.setTimeout(look, s2p.scenePause(one.waiting, answer.now));
        document.addEventListener("visibilitychange", look);
        return () => {
          window.clearTimeout(timer);
          document.removeEventListener("visibilitychange", look);
        };
      }, [asked.answer, asked.busy]);
      const sync = () =>
        act.run(async () => {
          await s2p.ask("sync_now", { ids: [Number(id)] });
          again();
          return "Queued before everything else";
        });
      const state = one ? one.state : "unknown";
      return h(
        "div",
        { id: "stash2plex-scene", "data-state": one ? state : undefined },
        h(s2p.Problem, { problem: asked.problem, again: again }),
        !answer && asked.busy && h(s2p.Busy, null, "Looking"),
        answer &&
          h("p", { className: "s2p-sentence", role: "status", "data-state": state }, STATES[state] || state, "."),
        one && one.reason && h("p", null, h(s2p.Data, null, w.sentence(one.reason))),
        one &&
          (state === "doubtful" || state === "failed") &&
          h(
            "p",
            null,
            h(
              s2p.Link,
              { to: s2p.route },
              state === "doubtful" ? "Choose the right item under Needs you" : "See under Needs you",
            ),
          ),
        one &&
          h(Facts, {
            scene: Object.assign({ id: id }, one),
            machine: answer.machine,
            web: asked.answer[1].plex_web_url,
            act: act,
            confirm: confirm,
            again: again,
            now: answer.now,
          }),
        h(
          "div",
          { className: "s2p-buttons" },
          h(B.Button, { size: "sm", variant: "primary", onClick: sync, disabled: act.busy }, "Sync now"),
          h(s2p.Outcome, { act: act }),
        ),
        h(Differs, { id: id, at: one ? state + one.at : "", known: one && one.reason }),
        dialog,
      );
    });

    const { Nav, Tab } = B;
    const put = (name, child) =>
      s2p.api.patch.before(name, (props) => [
        Object.assign({}, props, { children: h(R.Fragment, null, props.children, child(props)) }),
      ]);
    put("ScenePage.Tabs", () => h(Nav.Item, null, h(Nav.Link, { eventKey: KEY }, "Plex")));
    put("ScenePage.TabContent", (props) =>
      // Nothing is asked before the tab is opened.
      h(
        Tab.Pane,
        { eventKey: KEY, mountOnEnter: true, unmountOnExit: true },
        props.scene && h(Pane, { scene: props.scene }),
      ),
    );
  });
})();
