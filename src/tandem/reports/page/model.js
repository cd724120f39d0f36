// What there is, what is shown and what is chosen.
const data = JSON.parse(document.getElementById("data").textContent);
const modes = new Map(data.metrics.map((metric) => [metric.name, metric.mode]));
const BEST = 5;
const EVERY_SET = "all";

const view = {
  set: "", filter: "", metric: "", sort: "", descending: false, columns: null, seeds: false, chosen: [],
  curve: "", x: "step", logX: false, logY: false, smoothing: 0,
};
let rows = [];
let shown = [];

const byId = (id) => document.getElementById(id);

// An element with attributes and children; text becomes a text node, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function fillSelect(select, options, value) {
  select.replaceChildren(...options.map((option) => {
    const [name, text] = Array.isArray(option) ? option : [option, option];
    return make("option", { value: name, selected: name === value }, text);
  }));
}

const isLoss = (metric) => /(loss|perplexity)$/.test(metric);
const format = (metric, value) => value.toFixed(isLoss(metric) ? 3 : 2);
// What an object itself has under a name that somebody's file chose, which may be "toString".
const own = (object, name) => (object && Object.hasOwn(object, name) ? object[name] : undefined);
const has = (run, metric) => Object.hasOwn(run.metrics, metric);
const splitOf = (metric) => metric.split("/")[0];

function duration(seconds) {
  if (seconds < 600) return `${seconds.toFixed(0)} s`;
  if (seconds < 36000) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const whole = (number) => number.toLocaleString("en", { maximumFractionDigits: 0 });
const moment = (iso) => iso.slice(0, 16).replace("T", " ");

// The last part of a folder's path names a run wherever the page is made, if no other run has it.
function identify(list) {
  const last = list.map((run) => run.folder.split("/").filter(Boolean).at(-1) ?? run.folder);
  const counts = new Map();
  for (const name of last) counts.set(name, (counts.get(name) ?? 0) + 1);
  return list.map((run, place) => ({ ...run, place, id: counts.get(last[place]) === 1 ? last[place] : run.folder }));
}

const runs = identify(data.runs).map((run) => ({ ...run, members: [run] }));

// Whether a row's scores rank with those of its test set.
const isRanked = (row) => row.set !== null && !own(row.excluded, splitOf(view.metric));
const isInSet = (row) => view.set === EVERY_SET || row.set === null || data.sets[row.set].id === view.set;

function setting(run, key) {
  return own(run.settings, key) ?? (run.set === null ? undefined : own(data.same, key));
}

const PARTS = ["dataset", "encoder", "decoder", "attention"];
const FACTS = {
  run: (run) => run.name,
  state: (run) => run.state,
  why: (run) => run.why,
  started: (run) => run.started || null,
  steps: (run) => run.steps,
  epochs: (run) => run.epochs,
  parameters: (run) => run.parameters,
  seconds: (run) => run.seconds,
  command: (run) => run.command,
};
const settingKeys = [...data.keys, ...Object.keys(data.same)];

// The function that reads a filter's or a column's key off a run; null if no run has the key.
function reader(key) {
  if (Object.hasOwn(FACTS, key)) return FACTS[key];
  if (PARTS.includes(key)) return (run) => run.parts[key];
  if (modes.has(key)) return (run) => own(run.metrics, key);
  const found = [(one) => one === key, (one) => one.endsWith(`.${key}`), (one) => key.endsWith(`.${one}`)]
    .map((fits) => settingKeys.find(fits))
    .find((one) => one !== undefined);
  return found === undefined ? null : (run) => setting(run, found);
}

function inOrder(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

// Rows in the order of a column, those without a value last; by a score, those that rank come first.
function sorted(list, key, descending) {
  const read = reader(key);
  if (!read) return [...list];
  const value = (row) => read(row) ?? null;
  const isLast = (row) => modes.has(key) && Boolean(own(row.excluded, splitOf(key)));
  return [...list].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
    return isLast(a) - isLast(b) || (descending ? inOrder(y, x) : inOrder(x, y)) || a.place - b.place;
  });
}

const inMetricOrder = (list) => sorted(list, view.metric, modes.get(view.metric) === "max");

// The best of the rows that rank together; of several test sets, of the first one.
function bestRows(list, count) {
  const scored = list.filter((row) => isRanked(row) && has(row, view.metric));
  const first = Math.min(...scored.map((row) => row.set));
  return inMetricOrder(scored.filter((row) => row.set === first)).slice(0, count);
}

const rowOf = (id) => rows.find((row) => row.members.some((run) => run.id === id));
const isChosen = (row) => row.members.some((run) => view.chosen.includes(run.id));

function chosenRows() {
  return [...new Set(view.chosen.map(rowOf))].filter((row) => row !== undefined);
}
