// Buttons and keys: theme, copying, questions before dangerous forms, `/` for the search.
export function startActions() {
  enhance(document);
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted);
  document.addEventListener("keydown", pressed);
  document.addEventListener("paste", pasted);
}

/** Shows the buttons in `root` that only work with JavaScript. */
export function enhance(root) {
  for (const button of root.querySelectorAll("[data-copy], [data-theme-toggle], [data-reveal]")) button.hidden = false;
}

function clicked(event) {
  const copy = event.target.closest("[data-copy]");
  if (copy) copyText(copy);
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) toggleVeil(reveal);
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.open = false;
}

/** Shows what was typed into a field for secrets, or hides it again. */
function toggleVeil(button) {
  const field = document.getElementById(button.dataset.reveal);
  const shown = button.getAttribute("aria-pressed") !== "true";
  if (field.localName === "input") field.type = shown ? "text" : "password";
  else field.toggleAttribute("data-veil", !shown);
  button.setAttribute("aria-pressed", shown);
  button.textContent = shown ? "Hide" : "Show";
}

/** A field of one line would join what has several: it goes into the field that keeps them. */
function pasted(event) {
  const lines = document.getElementById(event.target.dataset?.lines);
  const text = event.clipboardData?.getData("text") ?? "";
  if (!lines || !/[\r\n]./.test(text)) return;
  event.preventDefault();
  lines.closest("details").open = true;
  lines.value = text;
  lines.focus();
}

async function copyText(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this page */ }
}

function submitted(event) {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
}

function pressed(event) {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
}
