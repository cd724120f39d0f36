// The leaderboard: a row a run, or a row for the seeds of one; every column sorts.
const RANK_COLUMN = { key: "", title: "#", number: true, raw: (row) => ranks.get(row) ?? "", cell: rankCell };
const NAME_COLUMN = { key: "run", title: "run", raw: (row) => row.name, cell: nameCell };
let ranks = new Map();

// Places of the rows that rank together, by test set; equal scores share a place.
function ranking(list) {
  const found = new Map();
  for (const set of data.sets.keys()) {
    const scored = inMetricOrder(list.filter((row) => row.set === set && isRanked(row) && has(row, view.metric)));
    scored.forEach((row, index) => {
      const before = scored[index - 1];
      const isEqual = before && before.metrics[view.metric] === row.metrics[view.metric];
      found.set(row, isEqual ? found.get(before) : index + 1);
    });
  }
  return found;
}

function rankCell(row) {
  return make("td", { class: "number rank" }, String(ranks.get(row) ?? "–"));
}

function nameCell(row) {
  const box = make("input", { type: "checkbox", checked: isChosen(row) });
  box.addEventListener("change", () => choose(row, box.checked));
  const swatch = make("span", { class: "swatch" });
  const folders = row.members.map((run) => run.folder).join("\n");
  return make("th", { scope: "row", class: "pinned" }, make("label", { class: "name", title: folders }, box, swatch, make("span", { class: "text" }, row.name)));
}

function stateBadge(row) {
  const kind = data.states.includes(row.state) ? row.state : "unfinished";
  return make("span", { class: `state ${kind}` }, row.state);
}

function exclusionBadge(row) {
  const reason = own(row.excluded, splitOf(view.metric));
  return reason ? make("span", { class: "state excluded", title: reason }, "not ranked") : null;
}

function stateCell(row) {
  const notes = row.members.flatMap((run) => run.notes);
  const why = [row.why, ...notes].filter(Boolean).join(" ");
  const warning = notes.length ? make("span", { class: "warning" }, "⚠") : null;
  return make("td", { title: why || null }, make("span", { class: "badges" }, stateBadge(row), exclusionBadge(row), warning));
}

function metricCell(row, metric) {
  if (!has(row, metric)) return make("td", { class: "number" });
  const cell = make("td", { class: "number" }, format(metric, row.metrics[metric]));
  const range = rangeText(row, metric);
  if (range) cell.append(make("span", { class: "range" }, ` ${range}`));
  return cell;
}

// How sure a score is: over seeds its deviation, of one run its interval.
function rangeText(row, metric) {
  const spread = own(row.spread, metric);
  if (spread) return spread.deviation === null ? "(1 run)" : `± ${format(metric, spread.deviation)} (${spread.count})`;
  const interval = own(row.intervals, metric);
  if (!interval) return "";
  const [low, high] = interval.map((value) => format(metric, value));
  return `[${low}, ${high}]`;
}

function numberCell(value, write) {
  return make("td", { class: "number" }, value === null ? "" : write(value));
}

function drawBoard() {
  ranks = ranking(rows.filter(isInSet));
  const columns = shownColumns();
  const head = make("tr", {}, ...columns.map(headCell));
  const bodies = boardGroups().map(([title, list]) => make("tbody", {}, ...(title ? [titleRow(title, columns)] : []), ...list.map((row) => boardRow(row, columns))));
  byId("board").replaceChildren(make("thead", {}, head), ...bodies);
  markChosen();
}

// Shown rows by test set, as scores of two sets do not compare; rows of none come last.
function boardGroups() {
  const list = sorted(shown, view.sort, view.descending);
  const sets = [...data.sets.keys()].filter((set) => list.some((row) => row.set === set));
  if (sets.length < 2) return [["", list]];
  const groups = sets.map((set) => [data.sets[set].label, list.filter((row) => row.set === set)]);
  const others = list.filter((row) => row.set === null);
  return others.length ? [...groups, ["cannot be read", others]] : groups;
}

function titleRow(title, columns) {
  return make("tr", { class: "set" }, make("th", { colspan: columns.length, scope: "rowgroup" }, make("span", {}, title)));
}

function boardRow(row, columns) {
  const cells = columns.map((one) => {
    const cell = one.cell(row);
    if (isBest(row, one.key)) cell.classList.add("best");
    return cell;
  });
  return make("tr", { "data-id": row.id, class: isRanked(row) ? null : "unranked" }, ...cells);
}

const bestValues = new Map();

// Whether no shown row of the same test set has a better score.
function isBest(row, key) {
  if (!modes.has(key) || !has(row, key) || own(row.excluded, splitOf(key))) return false;
  const name = JSON.stringify([row.set, key]);
  if (!bestValues.has(name)) {
    const values = shown.filter((one) => one.set === row.set && has(one, key) && !own(one.excluded, splitOf(key))).map((one) => one.metrics[key]);
    bestValues.set(name, modes.get(key) === "min" ? Math.min(...values) : Math.max(...values));
  }
  return row.metrics[key] === bestValues.get(name);
}

function headCell(column) {
  const order = view.descending ? "descending" : "ascending";
  const cell = make("th", { scope: "col", class: `${column.number ? "number" : ""} ${column.key === "run" ? "pinned" : ""}` });
  if (!column.key) {
    cell.append(make("span", { title: `place by ${view.metric} among comparable runs` }, column.title));
    return cell;
  }
  const button = make("button", { type: "button", class: "sort", "data-key": column.key }, column.title);
  button.addEventListener("click", () => sortBy(column));
  if (view.sort === column.key) cell.setAttribute("aria-sort", order);
  cell.append(button);
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

function markChosen() {
  for (const line of byId("board").querySelectorAll("tr[data-id]")) {
    const row = rowOf(line.dataset.id);
    const box = line.querySelector("input[type=checkbox]");
    box.checked = isChosen(row);
    box.nextElementSibling.style.background = box.checked ? colour(row) : "transparent";
  }
}
