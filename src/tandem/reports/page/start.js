// Draws everything, and again what a change touches.
addEventListener("error", (event) => {
  byId("failure").hidden = false;
  byId("failure").textContent = `This page has a fault: ${event.message}`;
});

function drawShown() {
  const { test, unknown } = parseFilter(view.filter);
  shown = runs.filter(test);
  const left = shown.length < runs.length ? `${shown.length} of ${runs.length} runs` : "";
  byId("filter-message").textContent = unknown.length ? `No run has the key ${unknown.join(", ")}.` : left;
  drawBoard();
  drawMatrix();
  drawSweep();
}

function drawChosen() {
  markChosen();
  drawCurves();
  drawDifferences();
  drawPairs();
  drawSamples();
  drawMaps();
  writeAddress();
}

function choose(run, isChosen) {
  setChosen(isChosen ? [...view.chosen, run.place] : view.chosen.filter((place) => place !== run.place));
}

function setChosen(places) {
  view.chosen = places;
  drawChosen();
}

function onChange(id, event, change) {
  byId(id).addEventListener(event, () => change(byId(id).value));
}

function listen() {
  onChange("filter", "input", (text) => { view.filter = text; drawShown(); writeAddress(); });
  onChange("split", "change", (split) => { view.split = split; drawBoard(); writeAddress(); });
  onChange("curve", "change", (curve) => { view.curve = curve; drawCurves(); writeAddress(); });
  onChange("differing", "change", drawSamples);
  onChange("metric", "change", (metric) => {
    Object.assign(view, { metric, sort: metric, descending: modes.get(metric) === "max" });
    drawShown();
    drawChosen();
  });
  onChange("choose-best", "click", () => setChosen(bestRuns(shown, BEST).map((run) => run.place)));
  onChange("choose-shown", "click", () => setChosen(sorted(shown, view.sort, view.descending).map((run) => run.place)));
  onChange("choose-none", "click", () => setChosen([]));
  addEventListener("hashchange", start);
}

function start() {
  readAddress();
  const names = data.metrics.map((metric) => metric.name);
  const splits = [...new Set(names.map((name) => name.split("/")[0])), "all"];
  if (!splits.includes(view.split)) view.split = splits[0];
  fillSelect(byId("metric"), names, view.metric);
  fillSelect(byId("split"), splits, view.split);
  byId("filter").value = view.filter;
  drawShown();
  drawChosen();
}

const states = ["finished", "unfinished", "broken"].map((state) => [runs.filter((run) => run.state === state).length, state]);
byId("counts").textContent = states.filter(([count]) => count).map(([count, state]) => `${count} ${state}`).join(", ");
for (const place of document.querySelectorAll(".resamples")) place.textContent = data.resamples.toLocaleString("en");
listen();
start();
