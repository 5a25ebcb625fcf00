// Format numbers, dates, time spans, file sizes and addresses for people to read.
(function () {
  "use strict";
  const s2p = window.Stash2Plex;
  const LOCALE = "en-GB"; // the text around them is English
  const DAY_S = 86400;

  const number = (value) => Number(value || 0).toLocaleString(LOCALE);
  const count = (value, singular, plural) =>
    number(value) + " " + (Number(value) === 1 ? singular : plural || singular + "s");

  function timeSpan(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 90) return count(whole, "second");
    if (whole < 90 * 60) return count(Math.round(whole / 60), "minute");
    if (whole < 36 * 3600) return count(Math.round(whole / 3600), "hour");
    return count(Math.round(whole / DAY_S), "day");
  }

  // "today at 14:05", "on Sunday", "on 3 May 2026": the further away, the less exact.
  function relativeDate(seconds, now) {
    const date = new Date(seconds * 1000);
    const today = new Date((now || Date.now() / 1000) * 1000);
    const clock = date.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
    const midnight = (value) => new Date(value).setHours(0, 0, 0, 0);
    const days = Math.round((midnight(date) - midnight(today)) / (DAY_S * 1000));
    if (days === 0) return "today at " + clock;
    if (days === -1) return "yesterday at " + clock;
    if (days === 1) return "tomorrow at " + clock;
    if (Math.abs(days) < 7)
      return "on " + date.toLocaleDateString(LOCALE, { weekday: "long" }) + (days > 0 ? " at " + clock : "");
    return "on " + date.toLocaleDateString(LOCALE, { day: "numeric", month: "long", year: "numeric" });
  }

  const timestamp = (seconds) =>
    new Date(seconds * 1000).toLocaleString(LOCALE, {
      day: "numeric",
      month: "short",
      hour: "2-digit",
      minute: "2-digit",
    });

  function fileSize(bytes) {
    if (bytes === null || bytes === undefined) return "unknown size";
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let value = Number(bytes);
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return value.toLocaleString(LOCALE, { maximumFractionDigits: unit ? 1 : 0 }) + " " + units[unit];
  }

  function playTime(seconds) {
    if (seconds === null || seconds === undefined) return "unknown length";
    const whole = Math.round(Number(seconds));
    const twoDigits = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    return (hours ? hours + ":" : "") + twoDigits(Math.floor((whole % 3600) / 60)) + ":" + twoDigits(whole % 60);
  }

  // The address if it is http or https, else null: an address that comes from data must not run a script.
  function webAddress(text) {
    try {
      const url = new URL(String(text));
      return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
    } catch (error) {
      return null;
    }
  }

  const sentence = (text) => {
    const trimmed = String(text || "").trim();
    return trimmed && !/[.!?…]$/.test(trimmed) ? trimmed + "." : trimmed;
  };
  const capitalize = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  s2p.format = {
    number,
    count,
    timeSpan,
    relativeDate,
    timestamp,
    fileSize,
    playTime,
    webAddress,
    sentence,
    capitalize,
  };
})();
