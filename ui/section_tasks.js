// The section "Tasks": run and stop each task of the plugin and follow its progress. Tasks that delete or write much ask
// first, and say how much.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const format = s2p.format;
  // Stash needs a moment until a new job shows up in its queue.
  const JOB_START_MS = 500;
  const TASKS = "query Stash2PlexTasks { plugins { id tasks { name description } } }";
  const SCENE_COUNT = "query Stash2PlexScenes { findScenes(filter: { per_page: 0 }) { count } }";
  const DEAD_LETTER_LOSS =
    "The reasons for the failures are deleted. Plex is not updated until these scenes are saved or synced again.";

  // By task name: what to ask before it runs. Each returns the question for `confirm` (with the task's `args`), or a
  // sentence if there is nothing to do.
  const QUESTIONS = {
    "Sync All Scenes": async () => {
      const scenes = (await s2p.graphql(SCENE_COUNT)).findScenes.count;
      return {
        title: "Sync all " + format.count(scenes, "scene") + "?",
        body: "Every scene is queued, including those that were given back to Plex. Scenes that are in sync need no write.",
        confirmLabel: "Sync all " + format.number(scenes),
      };
    },
    "Clear Pending Queue": async () => {
      await s2p.status.refresh();
      if (s2p.status.store.error) throw s2p.status.store.error;
      const waiting = s2p.status.store.status.queue.waiting;
      if (!waiting) return "No scene is waiting.";
      return {
        title: "Remove " + format.count(waiting, "waiting scene") + " from the queue?",
        body: "Your edits stay in Stash. Plex is not updated until these scenes are saved or synced again.",
        confirmLabel: "Remove " + format.number(waiting),
        isDangerous: true,
      };
    },
    "Clear Dead Letter Queue": async () => {
      const groups = (await s2p.runOperation("attention", { limit: 1 })).groups;
      const total = groups.reduce((sum, group) => sum + group.count, 0);
      if (!total) return "There are no dead letters.";
      return {
        title: "Delete " + format.count(total, "dead letter") + "?",
        body: DEAD_LETTER_LOSS,
        confirmLabel: "Delete " + format.number(total),
        isDangerous: true,
      };
    },
    "Purge Old DLQ Entries": async () => {
      const old = (await s2p.runOperation("attention", { limit: 1 })).old;
      if (!old) return "No dead letter is older than 30 days.";
      return {
        title: "Delete " + format.count(old, "dead letter") + " older than 30 days?",
        body: DEAD_LETTER_LOSS,
        confirmLabel: "Delete " + format.number(old),
        isDangerous: true,
      };
    },
    "Give Back to Plex": async () => {
      const found = await s2p.runOperation("give_back", { limit: 1 });
      if (!found.items) return "There is nothing to restore: Stash2Plex has not written to any item.";
      return {
        title: "Restore " + format.count(found.items, "item") + " of " + format.count(found.scenes, "scene") + "?",
        body:
          format.count(found.would_change, "item", "items") +
          " will show again what Plex showed before the first write. What Stash2Plex wrote there is lost. These scenes are skipped until you sync them again.",
        confirmLabel: "Restore " + format.number(found.items),
        isDangerous: true,
        args: { confirm: true },
      };
    },
  };

  s2p.define("section tasks", function (h, Bootstrap, React) {
    function Task({ task, job, refreshJobs, confirm }) {
      const action = s2p.useAction();
      const [startedId, setStartedId] = React.useState(null);
      const [endText, setEndText] = React.useState("");
      const followedId = React.useRef(null);
      const showEnd = (id) => {
        followedId.current = null;
        setStartedId(null);
        s2p.status.refresh();
        s2p.stashJobs.describeEnd(id, task.name).then(setEndText, (error) => setEndText(error.message));
      };
      // Follow the job while Stash's queue shows it, whether this page started it or not, and say how it ended.
      React.useEffect(() => {
        if (job) {
          followedId.current = job.id;
          setEndText("");
        } else if (followedId.current !== null) {
          showEnd(followedId.current);
        }
      }, [job && job.id]);
      // A short task may end before the queue is loaded.
      React.useEffect(() => {
        if (!startedId || job) return undefined;
        const timer = window.setTimeout(() => {
          if (followedId.current === startedId) showEnd(startedId);
          else setStartedId(null);
        }, JOB_START_MS);
        return () => window.clearTimeout(timer);
      }, [startedId, job && job.id]);

      const run = () =>
        action.run(async () => {
          let args = {};
          const question = QUESTIONS[task.name] && (await QUESTIONS[task.name]());
          if (typeof question === "string") return question;
          if (question) {
            if (!(await confirm(question))) return "";
            args = question.args || {};
          }
          setEndText("");
          const id = String(await s2p.stashJobs.start(task.name, args));
          followedId.current = id;
          setStartedId(id);
          await refreshJobs();
          return "";
        });
      const stop = () =>
        action.run(async () => {
          const wasStopped = await s2p.stashJobs.stop(job.id, task.name);
          await refreshJobs();
          return wasStopped ? "" : "It had already ended";
        });

      const isQueued = job && job.status === "READY";
      const percent = job && typeof job.progress === "number" ? Math.round(job.progress * 100) : 0;
      const button = (label, variant, onClick) =>
        h(
          Bootstrap.Button,
          {
            size: "sm",
            variant: variant,
            onClick: onClick,
            disabled: action.busy,
            "aria-label": label + " " + task.name,
          },
          label,
        );
      return h(
        "li",
        { className: "s2p-row s2p-task", "data-task": task.name },
        h(
          "div",
          { className: "s2p-task-text" },
          h("h3", { className: "h6" }, task.name),
          h("p", { className: "text-muted mb-0" }, task.description),
          job &&
            h(
              React.Fragment,
              null,
              h(s2p.ProgressBar, { percent: percent, name: task.name }),
              h("span", { className: "text-muted" }, isQueued ? "Waiting for other jobs in Stash" : percent + "%"),
            ),
          h(s2p.ActionResult, { action: action }),
          !job && endText && h("span", { role: "status", className: "s2p-message" }, endText),
        ),
        job ? button("Stop", "danger", stop) : button("Run", "secondary", run),
      );
    }

    s2p.TasksSection = function TasksSection({ confirm }) {
      const loaded = s2p.useLoaded(async () => {
        const plugins = (await s2p.graphql(TASKS)).plugins || [];
        const plugin = plugins.find((candidate) => candidate.id === s2p.id);
        return (plugin && plugin.tasks) || [];
      }, []);
      const tasks = loaded.data || [];
      const taskNames = React.useRef([]);
      taskNames.current = tasks.map((task) => task.name);
      const [jobs, refreshJobs, onJob] = s2p.useStashJobs(taskNames);
      if (s2p.useLiveUpdates) s2p.useLiveUpdates(onJob);
      return h(
        s2p.Section,
        { name: "tasks", title: "Tasks" },
        h(s2p.ErrorMessage, { error: loaded.error, retry: loaded.reload }),
        !loaded.data && loaded.loading && h(s2p.Loading),
        h(
          "ul",
          { className: "s2p-rows s2p-tasks" },
          tasks.map((task) =>
            h(Task, {
              key: task.name,
              task: task,
              job: s2p.stashJobs.findTask(jobs, task.name),
              refreshJobs: refreshJobs,
              confirm: confirm,
            }),
          ),
        ),
      );
    };
  });
})();
