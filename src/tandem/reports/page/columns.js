// Columns of the leaderboard, and which of them are shown.
const TITLES = { seconds: "training time", why: "why it ended" };
const NUMBERS = {
  steps: whole,
  epochs: whole,
  parameters: whole,
  seconds: duration,
};

// Every column by the heading under which it can be chosen, in the order of the table.
function columnGroups() {
  const metrics = data.metrics.map((metric) => metric.name);
  const others = metrics.filter((name) => name !== view.metric);
  return [
    ["Run", ["state", "why", "started"]],
    ["Parts", PARTS],
    ["Main metric", view.metric ? [view.metric] : []],
    ["Settings that vary", data.keys],
    ["Training", ["steps", "epochs", "seconds", "parameters"]],
    ["Metrics", others],
    ["Settings that all share", Object.keys(data.same)],
    ["Command", ["command"]],
  ];
}

function usualColumns() {
  const split = splitOf(view.metric);
  const metrics = data.metrics.map((metric) => metric.name).filter((name) => splitOf(name) === split);
  return ["state", "started", ...PARTS, view.metric, ...data.columns, "steps", "epochs", "seconds", "parameters", ...metrics];
}

function shownColumns() {
  const wanted = new Set(view.columns ?? usualColumns());
  const keys = [...new Set(columnGroups().flatMap(([, group]) => group))].filter((key) => wanted.has(key));
  return [RANK_COLUMN, NAME_COLUMN, ...keys.map(column)];
}

// A column: how it shows a row, and what an export writes for it.
function column(key) {
  const title = own(TITLES, key) ?? key;
  const read = reader(key);
  const raw = (row) => read(row) ?? "";
  if (key === "state") return { key, title, raw, cell: stateCell };
  if (modes.has(key)) return { key, title, raw, number: true, cell: (row) => metricCell(row, key) };
  if (Object.hasOwn(NUMBERS, key)) return { key, title, raw, number: true, cell: (row) => numberCell(read(row), NUMBERS[key]) };
  if (key === "started") return { key, title, raw, cell: (row) => make("td", {}, moment(row.started)) };
  if (key === "command" || key === "why") return { key, title, raw, cell: (row) => make("td", { class: "long", title: raw(row) }, raw(row)) };
  const number = !PARTS.includes(key) && runs.every((run) => ["number", "undefined"].includes(typeof setting(run, key)));
  return { key, title, raw, number, cell: (row) => make("td", { class: number ? "number" : null }, String(raw(row))) };
}

function drawChooser() {
  const chosen = new Set(view.columns ?? usualColumns());
  const words = byId("columns-search").value.toLowerCase();
  const groups = columnGroups().map(([title, keys]) => {
    const boxes = [...new Set(keys)]
      .filter((key) => `${key} ${own(TITLES, key) ?? ""}`.toLowerCase().includes(words))
      .map((key) => columnBox(key, chosen.has(key)));
    return boxes.length ? make("fieldset", {}, make("legend", {}, title), ...boxes) : null;
  });
  byId("columns-list").replaceChildren(...groups.filter((group) => group !== null));
}

function columnBox(key, checked) {
  const box = make("input", { type: "checkbox", value: key, checked });
  box.addEventListener("change", () => {
    const keys = (view.columns ?? usualColumns()).filter((one) => one !== key);
    setColumns(box.checked ? [...keys, key] : keys);
  });
  return make("label", {}, box, ` ${own(TITLES, key) ?? key}`);
}

function setColumns(keys) {
  view.columns = keys;
  drawBoard();
  drawChooser();
  writeAddress();
}

function listenToColumns() {
  byId("columns-search").addEventListener("input", drawChooser);
  byId("columns-usual").addEventListener("click", () => setColumns(null));
  byId("columns").addEventListener("toggle", drawChooser);
}
