// Keeps "3 min ago" and running durations true while the page is open. The words are those of pages/moments.py.
const UNITS = [[3600, 60, "min"], [36 * 3600, 3600, "h"], [60 * 86400, 86400, "days"], [730 * 86400, 30 * 86400, "months"]];

export function startTimes() {
  setInterval(tick, 1000);
}

let ticks = 0;
function tick() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-since]")) write(element, duration(passed(element.dataset.since)));
  if (ticks++ % 15) return;
  for (const element of document.querySelectorAll("time[data-ago]")) write(element, ago(passed(element.dateTime)));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function passed(iso) {
  return (Date.now() - Date.parse(iso)) / 1000;
}

export function ago(seconds) {
  if (seconds < 45) return "just now";
  for (const [bound, unit, name] of UNITS) {
    if (seconds >= bound) continue;
    const count = Math.max(1, Math.round(seconds / unit));
    return `${count} ${count === 1 ? name.replace(/s$/, "") : name} ago`;
  }
  const years = Math.round(seconds / (365 * 86400));
  return `${years} ${years === 1 ? "year" : "years"} ago`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
