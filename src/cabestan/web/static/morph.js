// Turns one tree into another in place: what stays the same keeps its element, and so focus, scroll and open details.

/**
 * Makes `present` look like `wanted`, but for text being typed. An element with `data-morph="keep"` only hears, by the
 * event `kept`, what the server would have it be now.
 */
export function morph(present, wanted) {
  if (present.dataset?.morph === "keep") {
    present.dispatchEvent(new CustomEvent("kept", { detail: wanted }));
    return;
  }
  morphAttributes(present, wanted);
  morphField(present, wanted);
  morphChildren(present, wanted);
}

function morphAttributes(present, wanted) {
  for (const { name, value } of [...wanted.attributes])
    if (present.getAttribute(name) !== value && !isOwn(present, name)) present.setAttribute(name, value);
  for (const { name } of [...present.attributes])
    if (!wanted.hasAttribute(name) && !isOwn(present, name)) present.removeAttribute(name);
}

/** What the person or a script here has set, and the server does not know. */
function isOwn(element, name) {
  return (name === "open" && element.localName === "details") || (name === "hidden" && element.localName === "button");
}

function morphField(present, wanted) {
  if (!("defaultValue" in wanted) || present.type === "hidden") return;
  const touched = present === document.activeElement || present.value !== present.defaultValue;
  present.defaultValue = wanted.defaultValue;
  if (!touched) present.value = wanted.defaultValue;
}

function morphChildren(present, wanted) {
  if (present.localName === "textarea") return;
  const keyed = new Map([...present.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = present.firstChild;
  for (const child of [...wanted.childNodes]) {
    const match = matching(place, child, keyed);
    if (!match) {
      present.insertBefore(document.importNode(child, true), place);
      continue;
    }
    if (match === place) place = place.nextSibling;
    else present.insertBefore(match, place);
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, child);
    else if (match.data !== child.data) match.data = child.data;
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** The present node that becomes `child`: the one with its id, or else the next one when it is alike and has no id. */
function matching(place, child, keyed) {
  if (child.id) {
    const same = keyed.get(child.id);
    return same?.localName === child.localName ? same : null;
  }
  while (place && place.id) place = place.nextSibling;
  if (!place || place.nodeType !== child.nodeType || place.localName !== child.localName) return null;
  return place;
}
