// The list of releases, renewed every few seconds while somebody looks at it.

import { morph } from "./morph.js";
import { localTimes } from "./times.js";

const EVERY = 3000;

async function renew() {
  if (document.hidden) return;
  const response = await fetch(location.pathname, { headers: { accept: "text/html" } }).catch(() => null);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("releases");
  if (!fresh) return;
  localTimes(fresh);
  morph(document.getElementById("releases"), fresh);
}

setInterval(renew, EVERY);
document.addEventListener("visibilitychange", renew);
