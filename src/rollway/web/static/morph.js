// Makes an element's content equal to another's and keeps the nodes that are the same, so that focus,
// open details and charts survive. Nodes are matched by id, else by kind and order.

export function morph(old, fresh) {
  const wanted = new Set([...fresh.children].map((node) => node.id).filter(Boolean));
  for (const child of [...old.children]) if (child.id && !wanted.has(child.id)) child.remove();
  let cursor = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const match = find(old, cursor, next);
    if (!match) {
      if (next.nodeType === Node.ELEMENT_NODE) next.classList.add("is-new");
      old.insertBefore(next, cursor);
      continue;
    }
    if (match === cursor) cursor = cursor.nextSibling;
    else old.insertBefore(match, cursor);
    renew(match, next);
  }
  while (cursor) [cursor, ] = [cursor.nextSibling, cursor.remove()];
}

function find(parent, cursor, next) {
  if (next.id) return [...parent.children].find((child) => child.id === next.id);
  return cursor && cursor.nodeName === next.nodeName && !cursor.id ? cursor : null;
}

function renew(match, next) {
  if (match.nodeType !== Node.ELEMENT_NODE) {
    if (match.data !== next.data) match.data = next.data;
    return;
  }
  if (match.hasAttribute("data-keep")) return;
  for (const { name } of [...match.attributes])
    if (!next.hasAttribute(name) && name !== "open") match.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (match.getAttribute(name) !== value) match.setAttribute(name, value);
  morph(match, next);
}

export function parse(html) {
  return new DOMParser().parseFromString(`<div>${html}</div>`, "text/html").body.firstChild;
}
