// What the page does with JavaScript: figures that stay up to date, questions in a dialog instead of
// on a page of their own, long actions that go on by themselves. Everything else works without it.
"use strict";

const mount = document.body.dataset.mount;

// ---- The overview -------------------------------------------------------------------------------

const EVERY = 3000;
const WAIT = 6000;
const WIDTH = 300;
const HEIGHT = 90;
const unknown = "–";

const overview = document.querySelector("[data-overview]");
const figures = new Map();
const charts = new Map();

const number = new Intl.NumberFormat("en");
const rate = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

// Writes only what has changed, so that nothing flickers. No figure is a live region: screen readers
// are told when the storage's state changes, and nothing else by itself.
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function figure(name, text, note) {
  const node = figures.get(name);
  if (node) write(node, text);
  const quiet = figures.get(`${name}_note`);
  if (quiet && note !== undefined) write(quiet, note);
}

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${rate.format(count)} ${units[unit]}`;
}

function micros(count) {
  if (count === null || count === undefined) return unknown;
  return count < 1000 ? `${count} µs` : `${rate.format(count / 1000)} ms`;
}

function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

const sum = (values) => values.reduce((all, value) => all + value, 0);
const last = (values, count) => values.slice(-count);

// The path of a line through values; gaps where there is none.
function path(values, most, closed) {
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH;
  const height = (value) => (HEIGHT - 4 - (value / most) * (HEIGHT - 10)).toFixed(1);
  const pieces = [];
  let piece = [];
  const end = () => {
    if (piece.length === 1) piece.push([piece[0][0] + 1, piece[0][1]]);
    if (piece.length > 0) pieces.push(piece);
    piece = [];
  };
  values.forEach((value, at) => {
    if (value === null) end();
    else piece.push([(at * step).toFixed(1) * 1, height(value)]);
  });
  end();
  return pieces.map((points) => {
    const line = `M${points.map((point) => point.join(" ")).join("L")}`;
    if (!closed) return line;
    return `${line}L${points[points.length - 1][0]} ${HEIGHT}L${points[0][0]} ${HEIGHT}Z`;
  }).join("");
}

// Draws into the paths that are there, so the page holds as much after an hour as at first.
function draw(name, series, text, spoken) {
  const chart = charts.get(name);
  const known = series.flat().filter((value) => value !== null);
  const most = Math.max(1, ...known);
  chart.lines.forEach((line, at) => line.setAttribute("d", path(series[at] ?? [], most, false)));
  if (chart.area) chart.area.setAttribute("d", path(series[0], most, true));
  write(chart.now, text);
  chart.svg.setAttribute("aria-label", spoken);
}

function showCount(data) {
  const count = data.count;
  const note = data.count_error ? "the last try failed" : data.is_counting ? "counting again" : "";
  if (!count) {
    figure("sessions", data.so_far === null ? unknown : `≈ ${number.format(data.so_far)}`);
    figure("counted", data.count_error ? "could not be counted" : "being counted");
    figure("signed_in", unknown, "");
    figure("memory", unknown, "");
    draw("sessions", [[]], unknown, "not counted yet");
    return;
  }
  const about = count.is_exact ? "" : "≈ ";
  figure("sessions", number.format(count.sessions));
  figure("counted", `counted ${ago(data.now - count.at)}${note ? `, ${note}` : ""}`);
  const basis = count.is_exact ? "" : `from a look at ${number.format(count.looked_at)}`;
  if (count.signed_in === null) figure("signed_in", unknown, "could not be looked at");
  else figure("signed_in", about + number.format(count.signed_in), basis);
  if (count.memory === null) {
    figure("memory", count.bytes === null ? unknown : about + bytes(count.bytes), "all records together");
  } else {
    const limit = count.memory_limit ? `of ${bytes(count.memory_limit)}` : "no limit set";
    figure("memory", bytes(count.memory), `${limit}, ${count.memory_policy ?? "policy unknown"}`);
  }
  const sessions = data.history.map((point) => point.sessions);
  const span = ago(data.now - data.history[0].at);
  const range = `${number.format(Math.min(...sessions))} to ${number.format(Math.max(...sessions))}`;
  const counts = sessions.length === 1 ? "1 count" : `${sessions.length} counts`;
  // One count is a level, not a point.
  if (sessions.length === 1) sessions.push(sessions[0]);
  draw("sessions", [sessions], `${counts}, the first ${span}`, `Sessions, ${range}, first counted ${span}`);
}

// What the application's own events tell.
function showEvents(data) {
  const { seconds, minutes } = data;
  const young = (data.now - data.since) / 60000;
  const over = young < 1 ? "since the start" : "in the last minute";
  figure("sign_ins", number.format(sum(last(seconds.signed_in, 60))), over);
  figure("ends", number.format(sum(last(seconds.ended, 60))), `${over}, without those that expired`);
  const text = `${number.format(sum(minutes.signed_in))} and ${number.format(sum(minutes.ended))} in an hour`;
  draw("traffic", [minutes.signed_in, minutes.ended], text, `Sign-ins and ends per minute: ${text}`);
}

// What two counts of the storage tell where nobody hears the application.
function showEstimates(data) {
  const points = data.history.filter((point) => point.seconds > 0);
  const perMinute = (value, point) => (value === null ? null : (value / point.seconds) * 60);
  const newest = points[points.length - 1];
  if (!newest) {
    figure("sign_ins", unknown, "known after two counts");
    figure("ends", unknown, "known after two counts");
    draw("traffic", [[], []], unknown, "known after two counts");
    return;
  }
  const basis = `over ${newest.seconds} s, between two counts`;
  const tell = (name, value, note) => {
    if (value === null) figure(name, unknown, "too few seen to tell");
    else figure(name, `≈ ${rate.format(value)}`, note);
  };
  tell("sign_ins", perMinute(newest.sign_ins, newest), basis);
  tell("ends", perMinute(newest.ended, newest), `${basis}, with those that expired`);
  const signIns = points.map((point) => perMinute(point.sign_ins, point));
  const ends = points.map((point) => perMinute(point.ended, point));
  draw("traffic", [signIns, ends], "≈ per minute, each count", "Estimated sign-ins and ends per minute");
}

function showStorage(data) {
  const own = overview.dataset.sees === "page";
  const whose = own ? "this page's questions" : "the application's questions";
  const { seconds } = data;
  if (seconds) {
    const answers = sum(last(seconds.answers, 60));
    const errors = sum(last(seconds.errors, 60));
    const known = last(seconds.p99_us, 60).filter((value) => value !== null);
    const worst = known.length > 0 ? Math.max(...known) : null;
    const text = own ? micros(data.probe_us) : micros(worst);
    figure("latency", text, own ? "this page's last question" : "99 of 100, worst second of the last minute");
    figure("errors", number.format(errors), `of ${number.format(answers + errors)}, ${whose}`);
    draw("latency", [seconds.p99_us], `${micros(worst)} at worst, last minute`, `Latency, ${whose}, worst ${micros(worst)}`);
    draw("answers", [seconds.answers, seconds.errors], `${number.format(answers)} and ${number.format(errors)} last minute`, `Answers and errors of ${whose}`);
  } else {
    figure("latency", micros(data.probe_us), "this page's last question");
    figure("errors", unknown, "no observer is attached");
    draw("latency", [[]], unknown, "not known");
    draw("answers", [[], []], unknown, "not known");
  }
}

function row(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  }));
  return line;
}

function item(text) {
  const entry = document.createElement("li");
  entry.textContent = text;
  return entry;
}

// Replaces a list only where it says something else.
function list(selector, entries, make) {
  const node = overview.querySelector(selector);
  const mark = JSON.stringify(entries);
  if (node.dataset.mark === mark) return;
  node.dataset.mark = mark;
  node.replaceChildren(...entries.map(make));
}

const words = (state) => state.replace("_", " ");

function showHealth(data) {
  const { health } = data;
  const connections = health.nodes.flatMap((node) => node.connections);
  const live = connections.filter((one) => one.state === "live").length;
  const breakers = health.nodes.flatMap((node) => [node.reads, node.writes]);
  const open = breakers.filter((state) => state !== "closed").length;
  if (health.nodes.length === 0) {
    figure("pool", "none", undefined);
    figure("breakers", "the storage is in this process");
  } else {
    figure("pool", `${live} of ${connections.length}`);
    const pending = health.pending_removals > 0 ? `, ${health.pending_removals} ends pending` : "";
    figure("breakers", (open === 0 ? "breakers closed" : `${open} of ${breakers.length} breakers not closed`) + pending);
  }
  list("[data-servers]", health.nodes.map((node) => [
    `${node.address}${node.version ? `, ${node.version}` : ""}`, node.role ?? "unknown",
    words(node.reads), words(node.writes),
    `${node.connections.filter((one) => one.state === "live").length} of ${node.connections.length} live`,
    `${node.in_flight}`,
  ]), row);
  list("[data-warnings]", health.warnings, item);
  list("[data-incidents]", data.incidents.map((it) => {
    const at = new Date(it.at).toISOString().slice(0, 19).replace("T", " ");
    return `${at} UTC: ${it.text}`;
  }), item);
  overview.querySelector("[data-no-incidents]").hidden = data.incidents.length > 0;
}

function state(name, text) {
  const node = document.querySelector("[data-state]");
  if (node.dataset.state !== name) node.dataset.state = name;
  write(node.querySelector("[data-text]"), text);
}

function show(data) {
  const silent = (data.probe_error !== null && !data.is_refused) || data.health.status === "unavailable";
  const status = silent ? "unavailable" : data.is_refused ? "degraded" : data.health.status;
  if (data.is_refused && !silent) state(status, `The storage (${data.health.backend}) answers, and refuses this page's user what it asks for.`);
  else state(status, {
    healthy: `The storage (${data.health.backend}) answers.`,
    degraded: `The storage (${data.health.backend}) answers, but somebody should look at it.`,
    unavailable: `The storage (${data.health.backend}) cannot be reached. Counts are old.`,
  }[status]);
  showCount(data);
  if (data.seconds && data.seen === "application") showEvents(data);
  else showEstimates(data);
  showStorage(data);
  showHealth(data);
}

async function poll() {
  try {
    const answer = await fetch(`${mount}/api/overview`, { signal: AbortSignal.timeout(WAIT), redirect: "error", cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error();
    show(await answer.json());
  } catch {
    state("lost", "This page's server does not answer. The figures are old.");
  }
  setTimeout(next, EVERY);
}

// Nobody looks at a page that is hidden.
function next() {
  if (document.hidden) document.addEventListener("visibilitychange", next, { once: true });
  else poll();
}

if (overview) {
  for (const node of overview.querySelectorAll("[data-figure]")) figures.set(node.dataset.figure, node);
  for (const node of overview.querySelectorAll("[data-chart]")) {
    charts.set(node.dataset.chart, {
      svg: node.querySelector("svg"),
      now: node.querySelector("[data-now]"),
      area: node.querySelector(".area"),
      lines: [...node.querySelectorAll(".line")],
    });
  }
  poll();
}

// ---- Questions ----------------------------------------------------------------------------------

// Whether a question is on its way: a second click asks nothing more.
let isAsking = false;

// Shows the form of another page in a dialog; goes to that page where it is something else.
async function ask(address) {
  let form = null;
  try {
    const answer = await fetch(address, { cache: "no-store" });
    const text = answer.ok ? await answer.text() : "";
    form = new DOMParser().parseFromString(text, "text/html").querySelector("form.confirm");
  } catch { /* The page itself tells what is wrong. */ }
  if (!form) {
    location.assign(address);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "question");
  dialog.append(document.adoptNode(form));
  dialog.querySelector("[data-cancel]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  // Nothing must happen to somebody who only presses Enter.
  (dialog.querySelector("#word") ?? dialog.querySelector("[data-cancel]")).setAttribute("autofocus", "");
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-ask]");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (isAsking) return;
  isAsking = true;
  ask(link.href).finally(() => { isAsking = false; });
});

// ---- Long actions -------------------------------------------------------------------------------

const REST = 400;
const main = document.querySelector("main");

// Takes the next step and shows it in the place of the last one. "Stop here" stays what it is, so that
// no click and no key falls between two pages, and the focus stays on it.
async function goOn(form) {
  let page = null;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, redirect: "error", cache: "no-store" });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { /* The page itself tells what is wrong. */ }
  if (!page?.querySelector("main")) {
    form.requestSubmit();
    return;
  }
  const next = page.querySelector("form[data-go-on]");
  if (!next) {
    document.title = page.title;
    main.replaceChildren(...page.querySelector("main").childNodes);
    main.focus();
    return;
  }
  write(main.querySelector("[role=status]"), page.querySelector("[role=status]").textContent);
  form.querySelector("progress").value = next.querySelector("progress").value;
  for (const field of next.querySelectorAll("input")) form.elements[field.name].value = field.value;
  setTimeout(goOn, REST, form);
}

const unfinished = document.querySelector("form[data-go-on]");
if (unfinished) setTimeout(goOn, REST, unfinished);
