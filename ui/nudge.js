// While the page is open Stash itself tells of its jobs and of each save's hook, over the connection it has for that:
// so an idle page needs to ask the plugin only now and then, and still sees a save at once.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  s2p.part("nudge", function (h, B, R) {
    const gql = s2p.api.libraries.Apollo.gql;
    const JOBS = gql("subscription Stash2PlexJobs { jobsSubscribe { type job { id status description progress } } }");
    const LOG = gql("subscription Stash2PlexLog { loggingSubscribe { message } }");
    const OURS = ".Post [" + s2p.id + "]";

    function subscribe(query, tell) {
      try {
        const client = s2p.api.utils.StashService.getClient();
        // Where there is no such connection (some proxies) the page asks at its own pace.
        const running = client
          .subscribe({ query: query, fetchPolicy: "no-cache" })
          .subscribe({ next: (answer) => tell(answer.data || {}), error: () => {} });
        return () => running.unsubscribe();
      } catch (error) {
        return () => {};
      }
    }

    s2p.useNudge = function (onJobs) {
      R.useEffect(() => {
        const hooks = (data) => {
          if ((data.loggingSubscribe || []).some((line) => String(line.message).includes(OURS))) s2p.status.soon();
        };
        const ends = [subscribe(JOBS, (data) => onJobs(data.jobsSubscribe || {})), subscribe(LOG, hooks)];
        return () => ends.forEach((end) => end());
      }, []);
    };
  });
})();
