// Follow Stash's own live updates while the page is open: its job queue and its log, over GraphQL subscriptions.
// The page then shows a save at once although it polls the plugin rarely.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  s2p.define("live updates", function (h, Bootstrap, React) {
    const gql = s2p.api.libraries.Apollo.gql;
    const JOBS = gql("subscription Stash2PlexJobs { jobsSubscribe { type job { id status description progress } } }");
    const LOG = gql("subscription Stash2PlexLog { loggingSubscribe { message } }");
    // Part of the log line that Stash writes for each of our hooks.
    const HOOK_LINE = ".Post [" + s2p.id + "]";

    function subscribe(query, onData) {
      try {
        const client = s2p.api.utils.StashService.getClient();
        // Some proxies block WebSockets: then the page relies on polling.
        const subscription = client
          .subscribe({ query: query, fetchPolicy: "no-cache" })
          .subscribe({ next: (answer) => onData(answer.data || {}), error: () => {} });
        return () => subscription.unsubscribe();
      } catch (error) {
        return () => {};
      }
    }

    // Refresh the status after each of our hooks, and call `onJob({type, job})` for each change in Stash's job queue.
    s2p.useLiveUpdates = function (onJob) {
      React.useEffect(() => {
        const onLog = (data) => {
          const lines = data.loggingSubscribe || [];
          if (lines.some((line) => String(line.message).includes(HOOK_LINE))) s2p.status.refreshSoon();
        };
        const stops = [subscribe(JOBS, (data) => onJob(data.jobsSubscribe || {})), subscribe(LOG, onLog)];
        return () => stops.forEach((stop) => stop());
      }, []);
    };
  });
})();
