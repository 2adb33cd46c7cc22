// Commands without leaving the page. Without this script the same forms work as plain forms.

const KEY = "rollway-actor";
const TOLD = { pause: "Hold", resume: "Go on", promote: "Promote", override_window: "Start now", rollback: "Roll back", roll_forward: "Roll forward" };

export function rememberActor() {
  const inputs = [...document.querySelectorAll('input[name="actor"]')];
  const share = (value) => inputs.forEach((input) => { if (input.value !== value) input.value = value; });
  share(localStorage.getItem(KEY) ?? "");
  for (const input of inputs)
    input.addEventListener("input", () => { share(input.value); localStorage.setItem(KEY, input.value.trim()); });
}

export function sendForms(rollout) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-say]") || !event.submitter) return;
    event.preventDefault();
    const fields = new FormData(form);
    send(rollout, { kind: event.submitter.value, actor: fields.get("actor"), reason: fields.get("reason") ?? "" });
    if (form.matches("[popover]")) { form.hidePopover(); form.reset(); form.actor.value = localStorage.getItem(KEY) ?? ""; }
  });
}

async function send(rollout, said) {
  const response = await fetch(`/api/rollouts/${encodeURIComponent(rollout)}/commands`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(said),
  }).catch(() => null);
  if (!response) return tell("The server did not answer: it was not said. Try again.", true);
  if (response.ok) return tell(`${TOLD[said.kind]}: said. It is heard with the next tick.`);
  const problem = await response.json().catch(() => ({ title: `Refused (${response.status})` }));
  tell([problem.detail ?? problem.title, ...(problem.details ?? []), problem.hint].filter(Boolean).join(" · "), true);
}

let forget;
function tell(text, isBad = false) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.className = isBad ? "tone-bad" : "tone-good";
  clearTimeout(forget);
  forget = setTimeout(() => { place.textContent = ""; }, isBad ? 30000 : 8000);
}
