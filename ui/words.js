// Numbers, times, sizes and addresses as people read them. Knows nobody else.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const LOCALE = "en-GB"; // the sentences around are English
  const DAY = 86400;

  const number = (value) => Number(value || 0).toLocaleString(LOCALE);
  const count = (value, one, many) => number(value) + " " + (Number(value) === 1 ? one : many || one + "s");

  function span(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 90) return count(s, "second");
    if (s < 90 * 60) return count(Math.round(s / 60), "minute");
    if (s < 36 * 3600) return count(Math.round(s / 3600), "hour");
    return count(Math.round(s / DAY), "day");
  }

  // "at 14:05", "on Sunday", "on 3 May 2026": as near as it matters.
  function when(seconds, now) {
    const at = new Date(seconds * 1000);
    const today = new Date((now || Date.now() / 1000) * 1000);
    const clock = at.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
    const days = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date(today).setHours(0, 0, 0, 0)) / (DAY * 1000));
    if (days === 0) return "today at " + clock;
    if (days === -1) return "yesterday at " + clock;
    if (days === 1) return "tomorrow at " + clock;
    if (Math.abs(days) < 7)
      return "on " + at.toLocaleDateString(LOCALE, { weekday: "long" }) + (days > 0 ? " at " + clock : "");
    return "on " + at.toLocaleDateString(LOCALE, { day: "numeric", month: "long", year: "numeric" });
  }
  const stamp = (seconds) =>
    new Date(seconds * 1000).toLocaleString(LOCALE, {
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    });

  function size(bytes) {
    if (bytes === null || bytes === undefined) return "size not known";
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let value = Number(bytes);
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return value.toLocaleString(LOCALE, { maximumFractionDigits: unit ? 1 : 0 }) + " " + units[unit];
  }

  function duration(seconds) {
    if (seconds === null || seconds === undefined) return "length not known";
    const s = Math.round(Number(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(s / 3600);
    return (hours ? hours + ":" : "") + two(Math.floor((s % 3600) / 60)) + ":" + two(s % 60);
  }

  // An address that comes from data is followed only where it is one of the web.
  function address(text) {
    try {
      const url = new URL(String(text));
      return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
    } catch (error) {
      return null;
    }
  }

  const sentence = (text) => {
    const words = String(text || "").trim();
    return words && !/[.!?…]$/.test(words) ? words + "." : words;
  };
  const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  s2p.words = { number, count, span, when, stamp, size, duration, address, sentence, upper };
})();
