// Groups that fold, and the form above them. Without this they fold and filter all the same, but forget and ask.
import { refreshSoon } from "./live.js";

const KEPT = "folds";
//: milliseconds after the last key before the server is asked
const PAUSE = 250;

let timer = 0;
const known = new Map(); // group → the word for what was not well in it when it was looked at last

export function startGroups() {
  settleGroups(document);
  document.addEventListener("click", clicked);
  document.addEventListener("input", typed);
  document.addEventListener("submit", submitted);
}

/** Opens and folds groups as the person left them; one that has come to need somebody since then opens itself. */
export function settleGroups(root) {
  const kept = read();
  for (const group of root.querySelectorAll("details[data-fold]")) {
    const { fold, needing } = group.dataset;
    const before = known.get(fold);
    known.set(fold, needing);
    if (before === undefined) group.open = isOpen(group, kept[fold]);
    else if (needing && needing !== before) group.open = true;
  }
  hideOthers();
}

function isOpen({ dataset: { needing, open } }, choice) {
  if (filtering() || !choice || (needing && needing !== choice.needing)) return open === "yes";
  return choice.open;
}

/** By a key, too: that clicks. What opens a group otherwise is no choice of the person's. */
function clicked(event) {
  const group = event.target.closest("details[data-fold] > summary")?.parentElement;
  if (!group || filtering()) return;
  const kept = read();
  kept[group.dataset.fold] = { open: !group.open, needing: group.dataset.needing };
  try { localStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* it holds for this page */ }
}

function read() {
  try { return JSON.parse(localStorage.getItem(KEPT)) ?? {}; } catch { return {}; }
}

function filtering() {
  const form = document.querySelector("[data-filter]");
  return Boolean(form && (form.elements.project.value || form.elements.state.value));
}

function typed(event) {
  if (!event.target.form?.matches("[data-filter]")) return;
  hideOthers();
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
}

function submitted(event) {
  if (!event.target.matches("[data-filter]")) return;
  event.preventDefault();
  ask();
}

/** Has the page be that of the form's address: the server knows states and order, and projects that are not here. */
function ask() {
  clearTimeout(timer);
  const form = document.querySelector("[data-filter]");
  const wanted = [...new FormData(form)].filter(([, value]) => value);
  history.replaceState(null, "", wanted.length ? `?${new URLSearchParams(wanted)}` : location.pathname);
  known.clear(); // what is looked for is open, and what was folded is folded again afterwards
  refreshSoon();
}

/** At once, what is here and has another name. */
function hideOthers() {
  const field = document.querySelector("[data-filter]")?.elements.project;
  if (!field) return;
  const name = field.value.trim().toLowerCase();
  let shown = 0;
  for (const group of document.querySelectorAll(".group, section.panel:has(> .scroll .matrix)")) {
    const rows = [...group.querySelectorAll("[data-project]")];
    for (const row of rows) row.hidden = !row.dataset.project.includes(name);
    const left = rows.filter((row) => !row.hidden).length;
    group.hidden = rows.length > 0 && left === 0;
    if (name && left) group.open = true;
    shown += left;
  }
  document.getElementById("no-match").hidden = shown > 0;
}
