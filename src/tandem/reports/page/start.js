// Draws everything, and again what a change touches.
addEventListener("error", (event) => {
  byId("failure").hidden = false;
  byId("failure").textContent = `This page has a fault: ${event.message}`;
});

function drawShown() {
  const { test, unknown } = parseFilter(view.filter);
  const inSet = rows.filter(isInSet);
  shown = inSet.filter(test);
  bestValues.clear();
  const left = shown.length < inSet.length ? `${shown.length} of ${inSet.length} rows` : "";
  byId("filter-message").textContent = unknown.length ? `No run has the key ${unknown.join(", ")}.` : left;
  drawBoard();
  drawMatrix();
  drawSweep();
}

function drawChosen() {
  markChosen();
  drawCurves();
  drawDetails();
  drawDifferences();
  drawPairs();
  drawSamples();
  drawMaps();
  writeAddress();
}

function drawAll() {
  drawShown();
  drawChosen();
}

function choose(row, isAdded) {
  const others = view.chosen.filter((id) => !row.members.some((run) => run.id === id));
  setChosen(isAdded ? [...others, row.id] : others);
}

function setChosen(ids) {
  view.chosen = ids;
  drawChosen();
}

function setMetric(metric) {
  Object.assign(view, { metric, sort: metric, descending: modes.get(metric) === "max" });
  byId("metric").value = metric;
}

function setTestSet(id) {
  view.set = id;
  const set = data.sets.find((one) => one.id === id);
  if (set) setMetric(set.main);
  setChosen(bestRows(rows.filter(isInSet), BEST).map((row) => row.id));
  drawAll();
}

function setSeeds(seeds) {
  view.seeds = seeds === "mean";
  rows = view.seeds ? meanRows() : runs;
  drawAll();
}

function onChange(id, event, change) {
  byId(id).addEventListener(event, () => change(byId(id).value));
}

function listen() {
  onChange("filter", "input", (text) => { view.filter = text; drawShown(); writeAddress(); });
  onChange("differing", "change", drawSamples);
  onChange("set", "change", setTestSet);
  onChange("seeds", "change", setSeeds);
  onChange("metric", "change", (metric) => { setMetric(metric); drawAll(); });
  onChange("choose-best", "click", () => setChosen(bestRows(shown, BEST).map((row) => row.id)));
  onChange("choose-shown", "click", () => setChosen(sorted(shown, view.sort, view.descending).map((row) => row.id)));
  onChange("choose-none", "click", () => setChosen([]));
  listenToCurves();
  listenToColumns();
  listenToExport();
  listenToTheme(drawAll);
  addEventListener("hashchange", start);
}

function start() {
  readAddress();
  fillSelect(byId("metric"), data.metrics.map((metric) => metric.name), view.metric);
  fillSelect(byId("set"), [...data.sets.map((set) => [set.id, set.label]), [EVERY_SET, "all of them"]], view.set);
  fillSelect(byId("seeds"), [["each", "each run"], ["mean", "mean over seeds"]], view.seeds ? "mean" : "each");
  byId("filter").value = view.filter;
  showCurveControls();
  drawAll();
}

function reloadEvery(seconds) {
  byId("reload").hidden = false;
  const box = byId("reload").querySelector("input");
  setInterval(() => {
    const isBusy = byId("export").open || document.activeElement?.matches("input[type=search], select");
    if (box.checked && !isBusy && document.visibilityState === "visible") location.reload();
  }, 1000 * seconds);
}

const counted = data.states.map((state) => [runs.filter((run) => run.state === state).length, state]);
byId("counts").textContent = counted.filter(([count]) => count).map(([count, state]) => `${count} ${state}`).join(", ");
for (const place of document.querySelectorAll(".resamples")) place.textContent = data.resamples.toLocaleString("en");
if (data.reload) reloadEvery(data.reload);
listen();
start();
