// "Tasks": a button for each task of the plugin, with the progress of its job, and stop. What loses or writes much asks
// first, with the count.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const w = s2p.words;
  const TASKS = "query Stash2PlexTasks { plugins { id tasks { name description } } }";
  const SCENES = "query Stash2PlexScenes { findScenes(filter: { per_page: 0 }) { count } }";

  // name -> what is asked first: null where there is nothing to be done.
  const FIRST = {
    "Sync All Scenes": async () => {
      const scenes = (await s2p.graphql(SCENES)).findScenes.count;
      return {
        title: "Queue all " + w.count(scenes, "scene") + "?",
        body: "Every scene is written as Stash has it, those given back to Plex too. What is the same there already costs no write.",
        yes: "Sync all " + w.number(scenes),
      };
    },
    "Clear Pending Queue": async () => {
      await s2p.status.look();
      if (s2p.status.store.problem) throw s2p.status.store.problem;
      const waiting = s2p.status.store.status.queue.waiting;
      if (!waiting) return "Nothing waits.";
      return {
        title: "Forget " + w.count(waiting, "waiting scene") + "?",
        body: "What was saved stays in Stash, but Plex does not get it until these scenes are saved or synced again.",
        yes: "Clear " + w.number(waiting),
        danger: true,
      };
    },
    "Clear Dead Letter Queue": async () => {
      const groups = (await s2p.ask("attention", { limit: 1 })).groups;
      const dead = groups.reduce((sum, group) => sum + group.count, 0);
      if (!dead) return "There are no dead letters.";
      return {
        title: "Forget " + w.count(dead, "dead letter") + "?",
        body: "The reasons why these jobs failed are lost; the scenes stay as they are in Plex until saved or synced again.",
        yes: "Clear " + w.number(dead),
        danger: true,
      };
    },
    "Purge Old DLQ Entries": async () => {
      const old = (await s2p.ask("attention", { limit: 1 })).old;
      if (!old) return "No dead letter is older than 30 days.";
      return {
        title: "Forget " + w.count(old, "dead letter") + " older than 30 days?",
        body: "The reasons why these jobs failed are lost; the scenes stay as they are in Plex until saved or synced again.",
        yes: "Purge " + w.number(old),
        danger: true,
      };
    },
    "Give Back to Plex": async () => {
      const found = await s2p.ask("give_back", { limit: 1 });
      if (!found.items) return "Nothing was written that could be given back.";
      return {
        title: "Give back " + w.count(found.items, "item") + " of " + w.count(found.scenes, "scene") + "?",
        body:
          w.count(found.would_change, "item gets", "items get") +
          " the values from before the first write; what Stash2Plex wrote there is lost. Saves of these scenes are not written any more until you sync them.",
        yes: "Give back " + w.number(found.items),
        danger: true,
        args: { confirm: true },
      };
    },
  };

  s2p.part("tasks", function (h, B, R) {
    function Task({ task, job, look, confirm }) {
      const act = s2p.useAct();
      const [id, setId] = R.useState(null);
      const [ended, setEnded] = R.useState("");
      const seen = R.useRef(null);
      // Ours or somebody else's start of it: once the queue has shown it, its end is told.
      R.useEffect(() => {
        if (job) {
          seen.current = job.id;
          setEnded("");
        } else if (seen.current !== null) {
          const was = seen.current;
          seen.current = null;
          setId(null);
          s2p.status.look();
          s2p.jobs.ending(was, task.name).then(setEnded, (problem) => setEnded(problem.message));
        }
      }, [job && job.id]);

      const start = () =>
        act.run(async () => {
          let args = {};
          const first = FIRST[task.name] && (await FIRST[task.name]());
          if (typeof first === "string") return first;
          if (first) {
            if (!(await confirm(first))) return "";
            args = first.args || {};
          }
          setEnded("");
          const started = String(await s2p.jobs.start(task.name, args));
          seen.current = started;
          setId(started);
          await look();
          return "";
        });
      const stop = () =>
        act.run(async () => {
          const stopped = await s2p.jobs.stop(job.id, task.name);
          await look();
          return stopped ? "" : "It had ended already";
        });
      // A task may be over before the queue was looked at.
      R.useEffect(() => {
        if (!id || job) return undefined;
        const timer = window.setTimeout(() => {
          setId(null);
          if (seen.current !== id) return;
          seen.current = null;
          s2p.status.look();
          s2p.jobs.ending(id, task.name).then(setEnded, (problem) => setEnded(problem.message));
        }, 500);
        return () => window.clearTimeout(timer);
      }, [id, job && job.id]);

      const waits = job && job.status === "READY";
      const share = job && typeof job.progress === "number" ? Math.round(job.progress * 100) : 0;
      return h(
        "li",
        { className: "s2p-row s2p-task", "data-task": task.name },
        h(
          "div",
          { className: "s2p-what" },
          h("h3", { className: "h6" }, task.name),
          h("p", { className: "text-muted mb-0" }, task.description),
          job &&
            h(
              R.Fragment,
              null,
              h(s2p.Bar, { share: share, name: task.name }),
              h("span", { className: "text-muted" }, waits ? "Waits for Stash's other jobs" : share + " %"),
            ),
          h(s2p.Outcome, { act: act }),
          !job && ended && h("span", { role: "status", className: "s2p-said" }, ended),
        ),
        job
          ? h(
              B.Button,
              { size: "sm", variant: "danger", onClick: stop, disabled: act.busy, "aria-label": "Stop " + task.name },
              "Stop",
            )
          : h(
              B.Button,
              {
                size: "sm",
                variant: "secondary",
                onClick: start,
                disabled: act.busy,
                "aria-label": "Run " + task.name,
              },
              "Run",
            ),
      );
    }

    s2p.Tasks = function Tasks({ confirm }) {
      const asked = s2p.useAnswer(async () => {
        const own = ((await s2p.graphql(TASKS)).plugins || []).find((plugin) => plugin.id === s2p.id);
        return (own && own.tasks) || [];
      }, []);
      const tasks = asked.answer || [];
      const names = R.useRef([]);
      names.current = tasks.map((task) => task.name);
      const [jobs, look, told] = s2p.useJobs(names);
      if (s2p.useNudge) s2p.useNudge(told);
      return h(
        s2p.Section,
        { name: "tasks", title: "Tasks" },
        h(s2p.Problem, { problem: asked.problem, again: asked.again }),
        !asked.answer && asked.busy && h(s2p.Busy, null, "Looking"),
        h(
          "ul",
          { className: "s2p-rows s2p-tasks" },
          tasks.map((task) =>
            h(Task, { key: task.name, task: task, job: s2p.jobOf(jobs, task.name), look: look, confirm: confirm }),
          ),
        ),
      );
    };
  });
})();
