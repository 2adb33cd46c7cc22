// The live page: takes in what the server pushes.

import { Charts } from "./charts.js";
import { morph, parse } from "./morph.js";
import { rememberActor, sendForms } from "./say.js";
import { localTimes, runClocks } from "./times.js";

const page = document.getElementById("live");
const { rollout, name } = page.dataset;
const charts = new Charts();
let source;
let again;
let seen = -1;

function listen() {
  source?.close();
  // Browsers allow few open connections to one server: a page that nobody sees only asks now and then.
  const slow = document.hidden ? "&once=true" : "";
  source = new EventSource(`/rollouts/${encodeURIComponent(rollout)}/events?seq=${seen}${slow}`);
  source.addEventListener("open", () => link("live"));
  source.addEventListener("error", lost);
  source.addEventListener("change", (event) => { seen = Number(event.lastEventId); take(JSON.parse(event.data)); });
  source.addEventListener("end", end);
}

// The browser tries again by itself after a broken connection, but not after an answer such as 503.
function lost() {
  if (!document.hidden) link("lost");
  clearTimeout(again);
  if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 2000);
}

function take(change) {
  document.title = `${change.tab} · ${name}`;
  for (const [region, html] of Object.entries(change.regions)) {
    const fresh = parse(html);
    localTimes(fresh);
    runClocks(fresh);
    morph(document.getElementById(`region-${region}`), fresh);
  }
  charts.take(change.series, change.is_whole);
}

function end() {
  source.close();
  document.removeEventListener("visibilitychange", listen);
  document.querySelector(".say").hidden = true;
  link("ended");
}

function link(state) {
  const words = { live: "live", lost: "connection lost, trying again", ended: "ended" };
  const place = document.getElementById("link");
  place.dataset.state = state;
  place.textContent = words[state];
}

rememberActor();
sendForms(rollout);
document.addEventListener("visibilitychange", listen);
listen();
