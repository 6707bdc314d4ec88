// Characters that are not seen and yet do something, shown by their code point; `web/pages/marking.py` does so in the HTML.
const UNSEEN = /([\x80-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff])/;

/** The text, cut at each such character: those have the odd places. */
export function parts(text) {
  return text.split(UNSEEN);
}

/** Nodes that show the text. The character itself stays, shut in, so that a search and a copy find what was printed. */
export function shownNodes(text) {
  return parts(text).map((part, place) => (place % 2 ? mark(part) : document.createTextNode(part)));
}

function mark(character) {
  const span = document.createElement("span");
  span.className = "unseen";
  span.dataset.code = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  span.textContent = character;
  return span;
}
