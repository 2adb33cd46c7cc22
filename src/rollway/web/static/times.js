// Times in the reader's zone, and clocks that run between two messages of the server.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const second = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export function localTimes(root = document) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const at = new Date(node.dateTime);
    if (isNaN(at)) continue;
    const text = inWords(at, node.dataset.style);
    if (node.textContent !== text) node.textContent = text;
    node.title = full.format(at);
  }
}

function inWords(at, style) {
  if (style === "ago") return since(at);
  if (at.toDateString() === new Date().toDateString()) return clock.format(at);
  return (style === "second" ? second : day).format(at);
}

function since(at) {
  const seconds = (at - Date.now()) / 1000;
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return ago.format(Math.round(seconds / size), unit);
  return ago.format(Math.round(seconds), "second");
}

export function runClocks(root = document) {
  for (const bar of root.querySelectorAll("progress[data-since]"))
    bar.value = Math.min(bar.max, Date.now() / 1000 - Number(bar.dataset.since));
  for (const text of root.querySelectorAll("[data-elapsed]")) {
    const gone = Math.max(0, Date.now() / 1000 - Number(text.dataset.elapsed));
    const whole = Number(text.dataset.of);
    text.textContent = gone < whole ? `${duration(gone)} of ${duration(whole)}` : `${duration(whole)} are over`;
  }
}

function duration(seconds) {
  const left = Math.round(seconds);
  if (left < 60) return `${left} s`;
  if (left < 3600) return `${Math.floor(left / 60)} min ${left % 60} s`;
  if (left < 86400) return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
  return `${Math.floor(left / 86400)} d ${Math.floor((left % 86400) / 3600)} h`;
}

localTimes();
runClocks();
setInterval(() => { runClocks(); localTimes(); }, 1000);
