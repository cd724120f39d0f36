// The leaderboard: a row a run, every column sorts.
const PART_COLUMNS = ["dataset", "encoder", "decoder", "attention"];

function boardColumns() {
  const metricColumn = (key) => ({ key, title: key, number: true, cell: (run) => metricCell(run, key) });
  const others = data.metrics.map((metric) => metric.name).filter((name) => inSplit(name) && name !== view.metric);
  return [
    { key: "run", title: "run", cell: nameCell },
    { key: "state", title: "state", cell: stateCell },
    ...PART_COLUMNS.map((key) => ({ key, title: key, cell: (run) => make("td", {}, run.parts[key]) })),
    ...(view.metric ? [metricColumn(view.metric)] : []),
    ...data.columns.map(settingColumn),
    { key: "parameters", title: "parameters", number: true, cell: (run) => numberCell(run.parameters, (n) => n.toLocaleString("en")) },
    { key: "seconds", title: "training time", number: true, cell: (run) => numberCell(run.seconds, duration) },
    ...others.map(metricColumn),
  ];
}

const inSplit = (name) => view.split === "all" || name.startsWith(`${view.split}/`);
const isNumeric = (key) => runs.every((run) => ["number", "undefined"].includes(typeof setting(run, key)));

function nameCell(run) {
  const box = make("input", { type: "checkbox", "data-place": run.place, checked: view.chosen.includes(run.place) });
  box.addEventListener("change", () => choose(run, box.checked));
  const swatch = make("span", { class: "swatch" });
  const label = make("label", { class: "name", title: run.folder }, box, swatch, make("span", { class: "text" }, run.name));
  return make("th", { scope: "row", class: "pinned" }, label);
}

function stateCell(run) {
  const why = run.notes.join(" ");
  return make("td", { title: why || null }, make("span", { class: `state ${run.state}` }, run.state), why ? " ⚠" : "");
}

function metricCell(run, metric) {
  if (!has(run, metric)) return make("td", { class: "number" });
  const cell = make("td", { class: "number" }, format(metric, run.metrics[metric]));
  if (run.intervals[metric]) {
    const [low, high] = run.intervals[metric].map((value) => format(metric, value));
    cell.append(make("span", { class: "range" }, ` [${low}, ${high}]`));
  }
  return cell;
}

function settingColumn(key) {
  const number = isNumeric(key);
  const cell = (run) => make("td", { class: number ? "number" : null }, String(setting(run, key) ?? ""));
  return { key, title: key, number, cell };
}

function numberCell(value, write) {
  return make("td", { class: "number" }, value === null ? "" : write(value));
}

function drawBoard() {
  const columns = boardColumns();
  const head = make("tr", {}, ...columns.map(headCell));
  const rows = sorted(shown, view.sort, view.descending);
  const body = make("tbody", {}, ...rows.map((run) => make("tr", { "data-place": run.place }, ...columns.map((column) => column.cell(run)))));
  byId("board").replaceChildren(make("thead", {}, head), body);
  markBest(columns);
  markChosen();
}

function headCell(column) {
  const button = make("button", { type: "button", class: "sort", "data-key": column.key }, column.title);
  button.addEventListener("click", () => sortBy(column));
  const order = view.descending ? "descending" : "ascending";
  const cell = make("th", { scope: "col", class: `${column.number ? "number" : ""} ${column.key === "run" ? "pinned" : ""}` }, button);
  if (view.sort === column.key) cell.setAttribute("aria-sort", order);
  return cell;
}

// The first click on a metric shows its best runs on top.
function sortBy(column) {
  view.descending = view.sort === column.key ? !view.descending : modes.get(column.key) === "max";
  view.sort = column.key;
  drawBoard();
  writeAddress();
  byId("board").querySelector(`[data-key="${CSS.escape(column.key)}"]`).focus();
}

function markBest(columns) {
  const rows = [...byId("board").tBodies[0].rows];
  columns.forEach(({ key }, index) => {
    const [best] = modes.has(key) ? sorted(shown.filter((run) => has(run, key)), key, modes.get(key) === "max") : [];
    for (const row of rows) {
      if (best && runs[row.dataset.place].metrics[key] === best.metrics[key]) row.cells[index].classList.add("best");
    }
  });
}

function markChosen() {
  for (const box of byId("board").querySelectorAll("input[type=checkbox]")) {
    const run = runs[box.dataset.place];
    box.checked = view.chosen.includes(run.place);
    box.nextElementSibling.style.background = box.checked ? colour(run) : "transparent";
  }
}
