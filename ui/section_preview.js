// The section "Preview": what a sync would write, scene by scene and field by field, without changing anything.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  const SCOPES = [
    ["recent", "Changed in the last 24 hours"],
    ["7days", "Changed in the last 7 days"],
    ["all", "All scenes"],
    ["ids", "Scenes by id"],
  ];
  const PAGE_SIZE = 50;

  const hasChanges = (scene) =>
    (scene.items || []).some((item) => item.changes.length) ||
    !!(scene.pictures && (scene.pictures.uploads || scene.pictures.selected || scene.pictures.removed));

  s2p.hasPreviewChanges = hasChanges;
  s2p.define("section preview", function (h, Bootstrap, React) {
    // What a sync would write for one scene; on the scene's own tab without a link to it.
    s2p.ScenePreview = function ScenePreview({ scene, isOnSceneTab }) {
      const pictures = s2p.describePictures(scene.pictures);
      const items = (scene.items || []).filter((item) => item.changes.length);
      return h(
        isOnSceneTab ? "div" : "li",
        { className: "s2p-row", "data-scene": scene.scene_id },
        !isOnSceneTab && h("h3", { className: "h6" }, h(s2p.SceneLink, { id: scene.scene_id, title: scene.title })),
        items.map((item) =>
          h(
            "div",
            { key: item.rating_key },
            items.length > 1 && h("div", { className: "text-muted" }, "Plex item " + item.rating_key),
            h(s2p.FieldChanges, { changes: item.changes }),
          ),
        ),
        pictures && h("p", { className: "mb-0" }, "Pictures: " + pictures + "."),
        (scene.notes || []).map((note, index) =>
          h("p", { key: index, className: "text-muted mb-0" }, h(s2p.IsolatedText, null, note)),
        ),
        scene.reason &&
          h("p", { className: "text-muted mb-0" }, h(s2p.IsolatedText, null, format.sentence(scene.reason))),
      );
    };

    const SkippedScenes = ({ scenes, counts }) =>
      scenes.length > 0 &&
      h(
        "details",
        { className: "s2p-details" },
        h(
          "summary",
          null,
          format.count(
            Object.values(counts || {}).reduce((sum, value) => sum + value, 0) || scenes.length,
            "scene is",
            "scenes are",
          ) + " skipped",
        ),
        h(
          "ul",
          { className: "s2p-rows" },
          scenes.map((scene) =>
            h(
              "li",
              { key: scene.scene_id, className: "s2p-row" },
              h(s2p.SceneLink, { id: scene.scene_id, title: scene.title }),
              ": ",
              h(
                s2p.IsolatedText,
                null,
                format.sentence(scene.reason || s2p.wording.EVENTS[scene.verdict] || scene.verdict),
              ),
            ),
          ),
        ),
      );

    function summarize(answer) {
      if (!answer.scenes) return "There are no scenes to preview.";
      const checked = format.count(answer.scenes, "scene") + " checked: ";
      if (!answer.would_change) return checked + "nothing would be written.";
      return (
        checked +
        format.number(answer.would_change) +
        " would be written, " +
        format.number(answer.equal) +
        " already in sync."
      );
    }

    function PreviewResult({ answer, request, onNext }) {
      const action = s2p.useAction();
      const changedScenes = (answer.changes || []).filter(hasChanges);
      const equalScenes = (answer.changes || []).filter((scene) => !hasChanges(scene));
      const hasNext = answer.next !== null && answer.next !== undefined;
      const sync = () =>
        action.run(async () => {
          const result = await s2p.runOperation("sync_now", { ids: changedScenes.map((scene) => scene.scene_id) });
          s2p.status.refresh();
          return format.count(result.queued || 0, "scene is", "scenes are") + " queued ahead of everything else";
        });
      return h(
        "div",
        { "data-preview": "result" },
        h("p", { role: "status" }, summarize(answer)),
        changedScenes.length > 0 &&
          h(
            "div",
            { className: "s2p-buttons" },
            h(
              Bootstrap.Button,
              { size: "sm", variant: "primary", onClick: sync, disabled: action.busy },
              "Sync these (" + format.number(changedScenes.length) + ")",
            ),
            h(s2p.ActionResult, { action: action }),
          ),
        h(
          "ul",
          { className: "s2p-rows" },
          changedScenes.map((scene) => h(s2p.ScenePreview, { key: scene.scene_id, scene: scene })),
        ),
        equalScenes.length > 0 &&
          request.scenes &&
          h(
            "p",
            { className: "text-muted" },
            "Already in sync: ",
            equalScenes.map((scene, index) =>
              h(
                React.Fragment,
                { key: scene.scene_id },
                index > 0 && ", ",
                h(s2p.SceneLink, { id: scene.scene_id, title: scene.title }),
              ),
            ),
          ),
        h(SkippedScenes, { scenes: answer.left_out || [], counts: answer.left_alone }),
        hasNext &&
          h(
            "div",
            { className: "s2p-buttons" },
            h(
              Bootstrap.Button,
              { size: "sm", variant: "secondary", onClick: () => onNext(answer.next) },
              "Preview the next " + PAGE_SIZE,
            ),
          ),
      );
    }

    s2p.PreviewSection = function PreviewSection() {
      const [scope, setScope] = React.useState("recent");
      const [ids, setIds] = React.useState("");
      const [request, setRequest] = React.useState(null);
      const loaded = s2p.useLoaded(request && (() => s2p.runOperation("preview", request)), [request]);
      const preview = (after) => {
        const scenes = scope === "ids" ? { scenes: ids } : { scope: scope };
        setRequest(Object.assign(scenes, { limit: PAGE_SIZE }, after ? { after: after } : {}));
      };
      const onSubmit = (event) => {
        event.preventDefault();
        preview();
      };
      return h(
        s2p.Section,
        { name: "preview", title: "Preview" },
        h(
          "form",
          { className: "s2p-form", onSubmit: onSubmit },
          h(
            "label",
            null,
            h(s2p.ScreenReaderText, null, "Scenes to preview"),
            h(
              "select",
              {
                className: "form-control form-control-sm btn-secondary",
                value: scope,
                onChange: (event) => setScope(event.target.value),
              },
              SCOPES.map(([value, label]) => h("option", { key: value, value: value }, label)),
            ),
          ),
          scope === "ids" &&
            h("input", {
              className: "form-control form-control-sm text-input",
              "aria-label": "Scene ids, separated by commas",
              placeholder: "12, 13",
              inputMode: "numeric",
              value: ids,
              onChange: (event) => setIds(event.target.value),
            }),
          h(
            Bootstrap.Button,
            { type: "submit", size: "sm", variant: "secondary", disabled: loaded.loading },
            "Preview",
          ),
        ),
        !request &&
          h("p", { className: "text-muted mb-0" }, "Shows what a sync would write to Plex. Nothing is changed."),
        loaded.loading && h(s2p.Loading, null, "Comparing with Plex…"),
        h(s2p.ErrorMessage, { error: loaded.error, retry: loaded.reload }),
        loaded.data &&
          !loaded.error &&
          h(PreviewResult, {
            key: JSON.stringify(request),
            answer: loaded.data,
            request: request,
            onNext: preview,
          }),
      );
    };
  });
})();
