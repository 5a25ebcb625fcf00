// Jobs of Stash's queue that are ours, by their description: ids start anew with Stash, and a remembered one may be
// somebody's scan.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const PREFIX = "Running plugin task: ";
  const MOVING = 2000;
  const STILL = 15000;
  const QUEUE = "query Stash2PlexQueue { jobQueue { id status description progress } }";
  const FIND = "query Stash2PlexJob($id: ID!) { findJob(input: { id: $id }) { id status description error } }";
  const START =
    "mutation Stash2PlexTask($id: ID!, $name: String, $args: Map) { runPluginTask(plugin_id: $id, task_name: $name, args_map: $args) }";
  const STOP = "mutation Stash2PlexStop($id: ID!) { stopJob(job_id: $id) }";

  const describes = (job, name) => job.description === PREFIX + name;
  const queue = async () => (await s2p.graphql(QUEUE)).jobQueue || [];
  const jobOf = (jobs, name) => jobs.find((job) => describes(job, name));

  const start = async (name, args) =>
    (await s2p.graphql(START, { id: s2p.id, name: name, args: args || {} })).runPluginTask;

  // Whether it was stopped: only what the queue shows at this moment under this id, with this task's description.
  async function stop(id, name) {
    const now = (await queue()).find((job) => String(job.id) === String(id));
    if (!now || !describes(now, name)) return false;
    await s2p.graphql(STOP, { id: now.id });
    return true;
  }

  // How a job ended, in words; Stash remembers the last ten.
  async function ending(id, name) {
    const job = (await s2p.graphql(FIND, { id: id })).findJob;
    if (!job || !describes(job, name)) return "Ended";
    if (job.status === "CANCELLED") return "Stopped";
    if (job.status === "FAILED") throw new Error("It failed: " + (job.error || "Stash's log says why"));
    return "Done; what it found stands in Stash's log (Settings > Logs)";
  }

  s2p.jobs = { start, stop, ending };
  s2p.part("useJobs", function (h, B, R) {
    // [jobs, look, told]: what Stash's queue shows; asks Stash only, which starts no process.
    s2p.useJobs = function (names) {
      const [jobs, setJobs] = R.useState([]);
      const state = R.useRef({ timer: null, here: true, jobs: [], asking: false, told: false });
      const look = R.useCallback(async () => {
        const now = state.current;
        window.clearTimeout(now.timer);
        if (now.asking || !now.here) return;
        now.asking = true;
        try {
          now.jobs = await queue();
          if (now.here) setJobs(now.jobs);
        } catch (error) {
          // The sentence about that stands under "Now".
        }
        now.asking = false;
        arrange();
      }, []);
      const arrange = R.useCallback(() => {
        const now = state.current;
        window.clearTimeout(now.timer);
        if (!now.here || document.hidden) return;
        const ours = names.current.some((name) => jobOf(now.jobs, name));
        now.timer = window.setTimeout(look, ours && !now.told ? MOVING : STILL);
      }, []);
      // What Stash tells of its own accord needs no question.
      const told = R.useCallback((change) => {
        const now = state.current;
        if (!now.here || !change.job) return;
        now.told = true;
        const others = now.jobs.filter((job) => job.id !== change.job.id);
        now.jobs = change.type === "REMOVE" ? others : others.concat(change.job);
        setJobs(now.jobs);
      }, []);
      R.useEffect(() => {
        const now = state.current;
        const shown = () => (document.hidden ? arrange() : look());
        document.addEventListener("visibilitychange", shown);
        look();
        return () => {
          now.here = false;
          window.clearTimeout(now.timer);
          document.removeEventListener("visibilitychange", shown);
        };
      }, []);
      return [jobs, look, told];
    };
    s2p.jobOf = jobOf;
  });
})();
