// The tab "Plex" on a scene's page: the scene's state in Plex, what a sync would change, and a button to sync it now.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  const TAB_KEY = "stash2plex-panel";
  const REFRESH_SOON_MS = 2000;
  const REFRESH_LATER_MS = 15000;
  // A next attempt within this time counts as soon.
  const SOON_S = 5;
  const DEFAULT_PLEX_WEB_URL = "https://app.plex.tv/desktop";

  // The address of an item in Plex Web; null if it is not a web address. The setting Plex URL is of no use here: it is
  // often a name that only the container knows.
  s2p.plexItemAddress = function (plexWebUrl, machine, ratingKey) {
    const base = format.webAddress(plexWebUrl || DEFAULT_PLEX_WEB_URL);
    if (!base || !machine || !ratingKey) return null;
    const page = base.split("#")[0].replace(/\/+$/, "");
    const fragment = /\.html?$/.test(page) ? "#!" : "/#!";
    const key = encodeURIComponent("/library/metadata/" + ratingKey);
    return page + fragment + "/server/" + encodeURIComponent(machine) + "/details?key=" + key;
  };

  // How long to wait before the state of a waiting scene is loaded again: longer if nothing will happen soon.
  s2p.sceneRefreshDelay = function (waiting, now) {
    const next = waiting && waiting.next;
    const isSoon = next ? next - now <= SOON_S : !(waiting && waiting.for_file);
    return isSoon ? REFRESH_SOON_MS : REFRESH_LATER_MS;
  };

  // What the time of the scene's verdict stands for.
  function timeLabel(scene) {
    if (scene.state !== "in step") return "Last checked";
    return scene.verdict === "written" ? "Last written" : "Last compared";
  }

  // What a restore would do to the scene; in general words if Plex cannot be asked.
  async function describeRestore(sceneId) {
    const after = " The scene is then skipped until you sync it.";
    try {
      const found = await s2p.runOperation("give_back", { scenes: [Number(sceneId)], limit: 1 });
      return (
        format.count(found.items, "item was", "items were") +
        " written for this scene; " +
        format.number(found.would_change) +
        " of them will show again what Plex showed before the first write." +
        after
      );
    } catch (error) {
      return "Every item written for this scene will show again what Plex showed before the first write." + after;
    }
  }

  s2p.define("scene tab", function (h, Bootstrap, React) {
    const Fact = ({ name, children }) => h(React.Fragment, null, h("dt", null, name), h("dd", null, children));

    function Item({ item, machine, plexWebUrl }) {
      const address = s2p.plexItemAddress(plexWebUrl, machine, item.rating_key);
      return h(
        React.Fragment,
        null,
        h(s2p.IsolatedText, null, item.library || "Item " + item.rating_key),
        ": ",
        h(s2p.FilePath, null, item.path),
        item.proof &&
          h(
            "div",
            { className: "text-muted" },
            h(s2p.IsolatedText, null, format.capitalize(format.sentence(item.proof))),
          ),
        address &&
          h("div", null, h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open in Plex")),
      );
    }

    // `version` changes whenever the preview has to be loaded again; `knownReason` is already shown above.
    function PendingChanges({ sceneId, version, knownReason }) {
      const loaded = s2p.useLoaded(
        () => s2p.runOperation("preview", { scenes: [Number(sceneId)] }),
        [sceneId, version],
      );
      const answer = loaded.data;
      const scene = answer && answer.changes[0];
      const skipped = answer && !scene && answer.left_out[0];
      let text = null;
      if (scene && !s2p.hasPreviewChanges(scene)) text = "Nothing: Plex shows the same.";
      else if (answer && !scene)
        text =
          skipped && skipped.reason !== knownReason
            ? format.capitalize(format.sentence(skipped.reason))
            : "Nothing, because the scene is skipped.";
      return h(
        "div",
        null,
        h("h3", { className: "h6" }, "What a sync would write"),
        h(s2p.ErrorMessage, { error: loaded.error, retry: loaded.reload }),
        !answer && loaded.loading && h(s2p.Loading, null, "Comparing with Plex…"),
        scene && s2p.hasPreviewChanges(scene) && h(s2p.ScenePreview, { scene: scene, isOnSceneTab: true }),
        text && h("p", { className: "text-muted" }, h(s2p.IsolatedText, null, text)),
      );
    }

    function SceneFacts({ scene, machine, plexWebUrl, action, confirm, reload, now }) {
      const waiting = scene.waiting;
      const forgetRejections = () =>
        action.run(async () => {
          await s2p.runOperation("unbind", { scene: scene.id });
          reload();
          return "Queued. The rejected items are considered again";
        });
      const removeManualMatch = () =>
        action.run(async () => {
          const answer = await s2p.runOperation("unbind", { scene: scene.id });
          reload();
          if (!answer.can_give_back) return "Manual match removed";
          const isConfirmed = await confirm({
            title: "Restore what Plex showed before?",
            body: await describeRestore(scene.id),
            confirmLabel: "Restore",
          });
          if (!isConfirmed) {
            await s2p.runOperation("sync_now", { ids: [Number(scene.id)] });
            reload();
            return "Manual match removed. What was written stays in Plex";
          }
          await s2p.stashJobs.start("Give Back to Plex", { scenes: [Number(scene.id)], confirm: true });
          return "Manual match removed. Restoring what Plex showed before";
        });
      const linkButton = (label, onClick, ariaLabel) =>
        h(
          Bootstrap.Button,
          { variant: "link", size: "sm", onClick: onClick, disabled: action.busy, "aria-label": ariaLabel },
          label,
        );
      return h(
        "dl",
        { className: "s2p-facts" },
        (scene.items || []).map((item) =>
          h(
            Fact,
            { key: item.rating_key, name: "Plex item" },
            h(Item, { item: item, machine: machine, plexWebUrl: plexWebUrl }),
          ),
        ),
        scene.at && h(Fact, { name: timeLabel(scene) }, format.relativeDate(scene.at, now)),
        waiting &&
          h(
            Fact,
            { name: "Waiting" },
            waiting.since ? "for " + format.timeSpan(now - waiting.since) : "now",
            waiting.next && waiting.next > now ? ", next attempt in " + format.timeSpan(waiting.next - now) : "",
            waiting.error && h(React.Fragment, null, ": ", h(s2p.IsolatedText, null, format.sentence(waiting.error))),
          ),
        scene.bound &&
          h(
            Fact,
            { name: "Manual match" },
            "item " + scene.bound + " ",
            linkButton("Remove", removeManualMatch, "Remove manual match"),
          ),
        scene.refused > 0 &&
          !scene.bound &&
          h(
            Fact,
            { name: "Rejected" },
            format.count(scene.refused, "item") + " ",
            linkButton("Reconsider", forgetRejections, "Reconsider rejected items"),
          ),
      );
    }

    const SceneTab = s2p.withErrorBoundary(function SceneTab({ scene }) {
      const sceneId = String(scene.id);
      const [reloads, setReloads] = React.useState(0);
      const reload = () => setReloads((before) => before + 1);
      const loaded = s2p.useLoaded(
        () =>
          Promise.all([
            s2p.runOperation("scene", { ids: [Number(sceneId)] }),
            s2p.loadDisplaySettings().catch(() => ({})),
          ]),
        [sceneId, scene.updated_at, reloads],
      );
      const action = s2p.useAction();
      const [dialog, confirm] = s2p.useConfirm();
      const answer = loaded.data && loaded.data[0];
      const known = answer && answer.scenes[sceneId];
      const state = known ? known.state : "unknown";
      // While the scene is waiting, its state is loaded again and again.
      React.useEffect(() => {
        if (!known || known.state !== "waiting" || loaded.loading) return undefined;
        const reloadIfVisible = () => !document.hidden && reload();
        const timer = window.setTimeout(reloadIfVisible, s2p.sceneRefreshDelay(known.waiting, answer.now));
        document.addEventListener("visibilitychange", reloadIfVisible);
        return () => {
          window.clearTimeout(timer);
          document.removeEventListener("visibilitychange", reloadIfVisible);
        };
      }, [loaded.data, loaded.loading]);
      const sync = () =>
        action.run(async () => {
          await s2p.runOperation("sync_now", { ids: [Number(sceneId)] });
          reload();
          return "Queued ahead of everything else";
        });
      const needsYouLink = {
        doubtful: "Choose the right item in Needs you",
        failed: "Retry or discard it in Needs you",
      }[state];
      return h(
        "div",
        { id: "stash2plex-scene", "data-state": known ? state : undefined },
        h(s2p.ErrorMessage, { error: loaded.error, retry: reload }),
        !answer && loaded.loading && h(s2p.Loading),
        answer &&
          h(
            "p",
            { className: "s2p-summary", role: "status", "data-state": state },
            s2p.wording.SCENE_STATES[state] || state,
            ".",
          ),
        known && known.reason && h("p", null, h(s2p.IsolatedText, null, format.sentence(known.reason))),
        known && needsYouLink && h("p", null, h(s2p.Link, { to: s2p.route }, needsYouLink)),
        known &&
          h(SceneFacts, {
            scene: Object.assign({ id: sceneId }, known),
            machine: answer.machine,
            plexWebUrl: loaded.data[1].plex_web_url,
            action: action,
            confirm: confirm,
            reload: reload,
            now: answer.now,
          }),
        h(
          "div",
          { className: "s2p-buttons" },
          h(Bootstrap.Button, { size: "sm", variant: "primary", onClick: sync, disabled: action.busy }, "Sync now"),
          h(s2p.ActionResult, { action: action }),
        ),
        h(PendingChanges, {
          sceneId: sceneId,
          version: known ? state + known.at : "",
          knownReason: known && known.reason,
        }),
        dialog,
      );
    });

    const { Nav, Tab } = Bootstrap;
    const addChild = (component, child) =>
      s2p.api.patch.before(component, (props) => [
        Object.assign({}, props, { children: h(React.Fragment, null, props.children, child(props)) }),
      ]);
    addChild("ScenePage.Tabs", () => h(Nav.Item, null, h(Nav.Link, { eventKey: TAB_KEY }, "Plex")));
    // mountOnEnter: nothing is loaded before the tab is opened.
    addChild("ScenePage.TabContent", (props) =>
      h(
        Tab.Pane,
        { eventKey: TAB_KEY, mountOnEnter: true, unmountOnExit: true },
        props.scene && h(SceneTab, { scene: props.scene }),
      ),
    );
  });
})();
