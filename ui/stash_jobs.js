// Start, stop and follow the plugin's tasks in Stash's job queue.
// A job is recognised by its description: Stash counts ids from 1 after each start, so a remembered id may belong to
// another job, such as a scan.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const DESCRIPTION_PREFIX = "Running plugin task: ";
  const ACTIVE_MS = 2000;
  const IDLE_MS = 15000;
  const QUEUE = "query Stash2PlexQueue { jobQueue { id status description progress } }";
  const FIND = "query Stash2PlexJob($id: ID!) { findJob(input: { id: $id }) { id status description error } }";
  const START =
    "mutation Stash2PlexTask($id: ID!, $name: String, $args: Map) { runPluginTask(plugin_id: $id, task_name: $name, args_map: $args) }";
  const STOP = "mutation Stash2PlexStop($id: ID!) { stopJob(job_id: $id) }";

  const isTask = (job, name) => job.description === DESCRIPTION_PREFIX + name;
  const loadQueue = async () => (await s2p.graphql(QUEUE)).jobQueue || [];
  const findTask = (jobs, name) => jobs.find((job) => isTask(job, name));

  const start = async (name, args) =>
    (await s2p.graphql(START, { id: s2p.id, name: name, args: args || {} })).runPluginTask;

  // Stop the job only if the queue still shows this task under this id. Return whether it was stopped.
  async function stop(id, name) {
    const job = (await loadQueue()).find((queued) => String(queued.id) === String(id));
    if (!job || !isTask(job, name)) return false;
    await s2p.graphql(STOP, { id: job.id });
    return true;
  }

  // Say how a job ended. Stash remembers the last ten jobs.
  async function describeEnd(id, name) {
    const job = (await s2p.graphql(FIND, { id: id })).findJob;
    if (!job || !isTask(job, name)) return "Ended";
    if (job.status === "CANCELLED") return "Stopped";
    if (job.status === "FAILED") throw new Error("Failed: " + (job.error || "see Stash's log (Settings > Logs)"));
    return "Done. The result is in Stash's log (Settings > Logs)";
  }

  s2p.stashJobs = { start, stop, describeEnd, findTask };
  s2p.define("Stash jobs", function (h, Bootstrap, React) {
    // Return [jobs, refresh, onJob]: Stash's job queue, polled while the page is visible. `onJob` takes the live updates;
    // after the first of them there is no need to poll often.
    s2p.useStashJobs = function (taskNames) {
      const [jobs, setJobs] = React.useState([]);
      const ref = React.useRef({ timer: null, mounted: true, jobs: [], loading: false, isLive: false });
      const refresh = React.useCallback(async () => {
        const state = ref.current;
        window.clearTimeout(state.timer);
        if (state.loading || !state.mounted) return;
        state.loading = true;
        try {
          state.jobs = await loadQueue();
          if (state.mounted) setJobs(state.jobs);
        } catch (error) {
          // The section Status shows that Stash cannot be reached.
        }
        state.loading = false;
        schedule();
      }, []);
      const schedule = React.useCallback(() => {
        const state = ref.current;
        window.clearTimeout(state.timer);
        if (!state.mounted || document.hidden) return;
        const isRunning = taskNames.current.some((name) => findTask(state.jobs, name));
        state.timer = window.setTimeout(refresh, isRunning && !state.isLive ? ACTIVE_MS : IDLE_MS);
      }, []);
      const onJob = React.useCallback((change) => {
        const state = ref.current;
        if (!state.mounted || !change.job) return;
        state.isLive = true;
        const others = state.jobs.filter((job) => job.id !== change.job.id);
        state.jobs = change.type === "REMOVE" ? others : others.concat(change.job);
        setJobs(state.jobs);
      }, []);
      React.useEffect(() => {
        const state = ref.current;
        const onVisibility = () => (document.hidden ? schedule() : refresh());
        document.addEventListener("visibilitychange", onVisibility);
        refresh();
        return () => {
          state.mounted = false;
          window.clearTimeout(state.timer);
          document.removeEventListener("visibilitychange", onVisibility);
        };
      }, []);
      return [jobs, refresh, onJob];
    };
  });
})();
