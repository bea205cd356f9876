// The status page of `lbctl serve`: asks for the whole picture when an event says that something changed, and for rates every few seconds.
"use strict";

const staleAfter = 15000; // milliseconds without an answer
const ratesEvery = 5000;
const changesKept = 30;

let status = null;
let histories = new Map();
let answered = 0; // when, by this clock
let trouble = "";
let asking = false, askAgain = false;
let timer = 0;
const opened = new Map(); // services that a person opened or closed
const changes = [];

/** An element: el("p", {class: "x"}, "text", child …). Texts are never taken for HTML. */
function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A name that a narrow page breaks behind its slashes, not within an address. */
const breakable = (text) => text.split(/(?<=\/)/).flatMap((part, index) => (index ? [el("wbr"), part] : [part]));

function ago(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

const since = (time) => (time ? el("span", { class: "faint", title: time }, ` for ${ago(time)}`) : null);

function amount(value, unit = "") {
  if (value === undefined || value === null) return "–";
  for (const [limit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= limit) return `${(value / limit).toFixed(1)} ${letter}${unit}`;
  }
  return `${Math.round(value)}${unit ? " " + unit : ""}`;
}

function verdict() {
  const problems = status.problems ?? [];
  if (problems.length === 0) return [el("p", { class: "fine" }, "Nothing is out of order.")];
  return problems.map((problem) =>
    el("div", { class: `problem ${problem.severity === "byHand" ? "warn" : problem.severity}` },
      el("p", {}, el("strong", {}, ...breakable(problem.subject)), ` ${problem.text}`),
      problem.remedy ? el("p", {}, "→ ", el("code", {}, ...breakable(problem.remedy))) : null));
}

const instanceClass = { master: "good", backup: "", fault: "bad", initialize: "warn" };

function router(instance) {
  const { runtime, context } = instance;
  const kind = instanceClass[runtime.state] ?? "warn";
  const addresses = [...(context.virtualAddresses ?? []), ...(context.excludedAddresses ?? [])];
  return el("article", { class: `card ${kind}`, "data-instance": instance.name, "data-state": runtime.state },
    el("h3", {}, el("span", {}, instance.name), el("span", { class: `state ${kind}` }, runtime.state.toUpperCase(), since(runtime.since))),
    el("p", {}, addresses.slice(0, 8).join(", "), addresses.length > 8 ? ` and ${addresses.length - 8} more` : ""),
    el("p", { class: "faint" }, `${context.interface ?? ""} VRID ${context.virtualRouterId ?? "?"}, priority ${runtime.effectivePriority}`,
      runtime.master ? `; master is ${runtime.master} with ${runtime.masterPriority ?? "?"}` : ""),
    el("p", {}, runtime.faults?.length ? runtime.faults.join("; ") : runtime.reason));
}

/** The connections that were open in the last five minutes. */
function spark(name) {
  const samples = histories.get(name) ?? [];
  if (samples.length < 2) return null;
  const rates = samples.map((sample) => sample.connections * 1000 / Math.max(sample.milliseconds, 1));
  const most = Math.max(...rates, 1e-9);
  const points = rates.map((rate, index) => `${(100 * index / (rates.length - 1)).toFixed(1)},${(29 - 28 * rate / most).toFixed(1)}`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img" })) {
    svg.setAttribute(key, value);
  }
  svg.setAttribute("aria-label", `new connections in the last minutes, at most ${amount(most)} a second`);
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", `M${points.join("L")}`);
  svg.append(path);
  return svg;
}

/** Decisions that say more than the verdict. */
const decided = (override) => ({ drain: override?.isOver ? "drained" : "draining", disable: "disabled" })[override?.kind];

const columns = ["server", "state", "weight", "active", "inactive", "conn/s", "why"];

function serverRow(server) {
  const { runtime } = server;
  const address = server.name.slice(server.name.lastIndexOf("/") + 1);
  const kind = runtime.health === "down" ? "bad" : runtime.effectiveWeight > 0 ? "good" : "warn";
  const word = runtime.health === "down" ? "down" : decided(runtime.override) ?? (runtime.departure ? "leaving" : runtime.effectiveWeight > 0 ? "up" : "idle");
  const cells = [address, el("span", {}, el("span", { class: `state ${kind}` }, word), since(runtime.since)), `${runtime.effectiveWeight}`,
    amount(runtime.activeConnections), amount(runtime.inactiveConnections), amount(runtime.counters?.connectionsPerSecond), runtime.reason];
  return el("tr", { "data-server": server.name }, ...cells.map((cell, index) =>
    el("td", { class: index >= 2 && index <= 5 ? "number" : "", "data-name": columns[index] }, el("span", {}, cell))));
}

function service(service) {
  const { runtime, servers, context } = service;
  const sick = runtime.state === "down" || servers.some((server) => server.runtime.health === "down");
  const kind = runtime.state === "down" ? "bad" : sick ? "warn" : "good";
  const inUse = servers.filter((server) => server.runtime.effectiveWeight > 0).length;
  const counters = runtime.counters ?? {};
  const details = el("details", { class: kind, "data-service": service.name },
    el("summary", {}, el("span", {}, ...breakable(service.name)), el("span", { class: `state ${kind}` }, runtime.state, since(runtime.since)),
      el("span", {}, `${inUse} of ${servers.length} servers`), el("span", {}, `${amount(counters.connectionsPerSecond)} conn/s`),
      el("span", {}, `${amount(counters.bytesInPerSecond, "B")}/s in`), spark(service.name)),
    el("p", { class: "faint" }, [context.scheduler, runtime.reason, runtime.onSorryServer ? "the sorry server serves" : ""].filter(Boolean).join("; ")),
    el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, ...columns.map((name, index) => el("th", { scope: "col", class: index >= 2 && index <= 5 ? "number" : "" }, name)))),
      el("tbody", {}, ...servers.slice(0, 200).map(serverRow)))),
    servers.length > 200 ? el("p", { class: "faint" }, `and ${servers.length - 200} more: 'lbctl service show ${service.name}'`) : null);
  details.open = opened.get(service.name) ?? (sick || status.services.length <= 3);
  details.addEventListener("toggle", () => opened.set(service.name, details.open));
  return details;
}

function show() {
  // What has the keyboard keeps it.
  const focused = document.activeElement?.closest("[data-service]")?.getAttribute("data-service");
  document.getElementById("verdict").replaceChildren(...verdict());
  const routers = status.instances.map(router);
  document.getElementById("routers").replaceChildren(...(routers.length ? routers : [el("p", { class: "faint" }, "none")]));
  const shown = status.services.slice(0, 200).map(service);
  if (status.services.length > 200) shown.push(el("p", { class: "faint" }, `and ${status.services.length - 200} more: 'lbctl service list'`));
  document.getElementById("services").replaceChildren(...(shown.length ? shown : [el("p", { class: "faint" }, "none")]));
  if (focused) document.querySelector(`[data-service="${CSS.escape(focused)}"] summary`)?.focus();
  const masters = status.instances.filter((instance) => instance.runtime.state === "master").length;
  document.title = `${status.problems?.length ? `(${status.problems.length}) ` : ""}${masters ? "MASTER" : status.instances.length ? "BACKUP" : "Evenkeel"} – Evenkeel`;
}

function showChanges() {
  document.getElementById("changes").replaceChildren(...changes.map((event) => {
    const data = event.data;
    const state = data === undefined ? "gone" : data.runtime?.state ?? data.runtime?.health ?? data.state ?? data.message ?? "";
    return el("li", {}, el("time", { class: "faint", datetime: event.time }, new Date(event.time).toLocaleTimeString()),
      el("span", { class: "faint" }, event.type.replace("io.evenkeel.", "")), el("strong", {}, ...breakable(event.subject)), el("span", {}, `${state}`),
      el("span", { class: "faint" }, data?.runtime?.reason ?? data?.reason ?? ""));
  }));
}

function showLife() {
  const age = Date.now() - answered;
  const stale = answered === 0 ? trouble !== "" : age > staleAfter || trouble !== "";
  const live = document.getElementById("live");
  const text = !stale ? (answered ? "live" : "connecting …")
    : `${answered ? `stale: as it was ${ago(new Date(answered).toISOString())} ago` : "no answer"}${trouble ? ` (${trouble})` : ""}`;
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("stale", stale);
  document.body.classList.toggle("stale", stale);
}

async function get(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
  return answer.json();
}

async function ask() {
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    status = await get("api/status");
    answered = Date.now();
    trouble = "";
    show();
    showLife();
    const traffic = await get("api/io.evenkeel.Ipvs.ListTraffic").catch(() => ({ replies: [] }));
    const isFirst = histories.size === 0;
    histories = new Map(traffic.replies.flatMap((reply) => reply.histories ?? []).map((history) => [history.name, history.samples]));
    if (isFirst && histories.size > 0) show();
  } catch (error) {
    trouble = error.message;
  }
  asking = false;
  showLife();
  if (askAgain) { askAgain = false; soon(); }
}

/** Several events that come together are one question; those that come without end are one again and again. */
function soon() {
  if (timer === 0) timer = setTimeout(() => { timer = 0; ask(); }, 100);
}

function follow() {
  let inSnapshot = true;
  const source = new EventSource("events");
  source.onopen = () => { inSnapshot = true; };
  source.onmessage = (message) => {
    const reply = JSON.parse(message.data);
    if (reply.snapshotComplete) { inSnapshot = false; soon(); return; }
    const event = reply.event;
    if (inSnapshot || !event || event.type.endsWith(".heartbeat")) return;
    changes.unshift(event);
    changes.length = Math.min(changes.length, changesKept);
    showChanges();
    soon();
  };
  source.onerror = () => {
    soon();
    // A browser comes again by itself, unless it was refused: busd is away, say.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 1000);
  };
}

follow();
ask();
setInterval(() => { if (!document.hidden) ask(); }, ratesEvery);
setInterval(showLife, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
