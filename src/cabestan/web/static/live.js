// Listens to what changes, and fetches the page again when it is about something on it.
import { enhance } from "./actions.js";
import { settleGroups } from "./groups.js";
import { startLogs } from "./logs.js";
import { morph } from "./morph.js";

//: milliseconds between two fetches, at least
const PAUSE = 400;
//: milliseconds without a connection before the page says so
const PATIENCE = 4000;

let source = null;
let timer = 0;
let fetching = false;
let again = false;
let trouble = 0;

export function startLive() {
  if (!topics().length) return;
  document.addEventListener("visibilitychange", connectWhenSeen);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connectWhenSeen);
  connectWhenSeen();
}

/** A browser has six connections to a server: a page that nobody sees holds none. */
function connectWhenSeen() {
  if (document.hidden) disconnect();
  else if (!source) connect();
}

function connect() {
  source = new EventSource("/api/v1/changes");
  source.addEventListener("open", () => { say(""); refreshSoon(); }); // what changed meanwhile was not heard
  source.addEventListener("changed", (event) => { if (concerns(event.data)) refreshSoon(); });
  source.addEventListener("error", lost);
}

function disconnect() {
  source?.close();
  source = null;
  clearTimeout(trouble);
  trouble = 0;
}

function lost() {
  trouble ||= setTimeout(() => say("No connection to the server. Trying again…"), PATIENCE);
  if (source?.readyState !== EventSource.CLOSED) return;
  source = null;
  refreshSoon(); // refused: the page itself is told why, such as that its login has ended
  setTimeout(connectWhenSeen, PATIENCE);
}

function topics() {
  return (document.body.dataset.topics ?? "").split(" ").filter(Boolean);
}

function concerns(topic) {
  return topics().some((wanted) => (wanted.endsWith("*") ? topic.startsWith(wanted.slice(0, -1)) : topic === wanted));
}

/** Fetches the page again; it may be at another address by now. */
export function refreshSoon() {
  if (fetching) again = true;
  else timer ||= setTimeout(refresh, PAUSE);
}

async function refresh() {
  timer = 0;
  fetching = true;
  try {
    await fetchPage();
  } catch {
    refreshSoonAfterTrouble();
  }
  fetching = false;
  if (again) {
    again = false;
    refreshSoon();
  }
}

function refreshSoonAfterTrouble() {
  setTimeout(refreshSoon, PATIENCE);
}

async function fetchPage() {
  const asked = location.href;
  const answer = await fetch(asked, { headers: { Accept: "text/html" } });
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return signedOut();
  if (answer.status >= 500) throw new Error(`status ${answer.status}`);
  if (!answer.ok) return say("This page is not there any more.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (location.href !== asked) return void (again = true); // somebody asked for something else meanwhile
  document.title = page.title;
  document.body.dataset.topics = page.body.dataset.topics;
  const main = document.querySelector("main");
  morph(main, page.querySelector("main"));
  enhance(main);
  settleGroups(main);
  startLogs(main);
}

function signedOut() {
  disconnect();
  say("You are signed out. Reload to sign in again.");
}

function say(text) {
  clearTimeout(trouble);
  trouble = 0;
  const line = document.querySelector(".connection");
  line.textContent = text;
  line.hidden = !text;
}
