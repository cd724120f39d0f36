// What there is, what is shown and what is chosen; the address keeps the view behind its #.
const data = JSON.parse(document.getElementById("data").textContent);
const runs = data.runs.map((run, place) => ({ ...run, place }));
const modes = new Map(data.metrics.map((metric) => [metric.name, metric.mode]));
const PALETTE = ["#2456a6", "#d1731b", "#2f8a57", "#b23a48", "#7456a8", "#7a5c46", "#c65b9c", "#59636f", "#8f8a1d", "#1f93a8"];
const BEST = 5;

const view = { filter: "", metric: data.main, split: "", sort: "", descending: false, curve: "", chosen: [] };
let shown = runs;

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
  select.replaceChildren(...options.map((name) => make("option", { value: name, selected: name === value }, name)));
}

const isLoss = (metric) => /(loss|perplexity)$/.test(metric);
const format = (metric, value) => value.toFixed(isLoss(metric) ? 3 : 2);
const isBetter = (metric, a, b) => (modes.get(metric) === "min" ? a < b : a > b);
const has = (run, metric) => run.metrics[metric] !== undefined;

function duration(seconds) {
  if (seconds < 600) return `${seconds.toFixed(0)} s`;
  if (seconds < 36000) return `${(seconds / 60).toFixed(0)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function setting(run, key) {
  return key in run.settings ? run.settings[key] : data.same[key];
}

const FACTS = {
  run: (run) => run.name,
  state: (run) => run.state,
  parameters: (run) => run.parameters,
  seconds: (run) => run.seconds,
};
const settingKeys = [...data.keys, ...Object.keys(data.same)];

// The function that reads a filter's or a column's key off a run; null if no run has the key.
function reader(key) {
  if (key in FACTS) return FACTS[key];
  if (["dataset", "encoder", "decoder", "attention"].includes(key)) return (run) => run.parts[key];
  if (modes.has(key)) return (run) => run.metrics[key];
  const found = [(one) => one === key, (one) => one.endsWith(`.${key}`), (one) => key.endsWith(`.${one}`)]
    .map((fits) => settingKeys.find(fits))
    .find((one) => one !== undefined);
  return found === undefined ? null : (run) => setting(run, found);
}

const COMPARISONS = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

function matches(value, operator, wanted) {
  const text = String(value ?? "null");
  if (operator === "~") return text.toLowerCase().includes(wanted.toLowerCase());
  const numbers = text.trim() !== "" && wanted !== "" && !isNaN(text) && !isNaN(wanted);
  if (!numbers && operator !== "=" && operator !== "!=") return false;
  const order = numbers ? Math.sign(Number(text) - Number(wanted)) : Number(text !== wanted);
  return COMPARISONS[operator](order);
}

// From the text of the filter to a test of runs, and what in it is unknown.
function parseFilter(text) {
  const tests = [];
  const unknown = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const term = word.match(/^([^=<>!~]+)(<=|>=|!=|=|<|>|~)(.*)$/);
    if (!term) {
      tests.push((run) => `${run.folder} ${Object.values(run.parts).join(" ")}`.toLowerCase().includes(word.toLowerCase()));
      continue;
    }
    const [, key, operator, wanted] = term;
    const read = reader(key);
    if (!read) {
      unknown.push(key);
      continue;
    }
    const choices = wanted.split(",");
    tests.push((run) =>
      operator === "!="
        ? choices.every((choice) => matches(read(run), operator, choice))
        : choices.some((choice) => matches(read(run), operator, choice)),
    );
  }
  return { test: (run) => tests.every((test) => test(run)), unknown };
}

function inOrder(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

// Runs in the order of a column, those without a value last.
function sorted(list, key, descending) {
  const read = reader(key);
  if (!read) return [...list];
  const value = (run) => read(run) ?? null;
  return [...list].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
    return (descending ? inOrder(y, x) : inOrder(x, y)) || a.place - b.place;
  });
}

function bestRuns(list, count) {
  const scored = list.filter((run) => has(run, view.metric));
  return sorted(scored, view.metric, modes.get(view.metric) === "max").slice(0, count);
}

const chosenRuns = () => view.chosen.map((place) => runs[place]);
const colour = (run) => PALETTE[view.chosen.indexOf(run.place) % PALETTE.length];

function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  view.filter = address.get("filter") ?? "";
  if (modes.has(address.get("metric"))) view.metric = address.get("metric");
  view.split = address.get("split") ?? "";
  view.curve = address.get("curve") ?? "";
  const sort = address.get("sort") ?? (modes.get(view.metric) === "max" ? "-" : "") + view.metric;
  view.descending = sort.startsWith("-");
  view.sort = sort.replace(/^-/, "");
  const chosen = address.get("chosen");
  view.chosen =
    chosen === null
      ? bestRuns(runs, BEST).map((run) => run.place)
      : chosen.split(",").filter((place) => place !== "" && runs[place]).map(Number);
}

function writeAddress() {
  const address = new URLSearchParams({
    sort: (view.descending ? "-" : "") + view.sort,
    metric: view.metric,
    chosen: view.chosen.join(","),
  });
  for (const key of ["filter", "split", "curve"]) if (view[key]) address.set(key, view[key]);
  history.replaceState(null, "", `#${address}`);
}
