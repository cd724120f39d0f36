// Learning curves of chosen rows: by steps, time or target symbols, with logarithms and smoothing.
const CLOCKS = { step: null, time: "train/seconds", tokens: "train/tokens" };
const CLOCK_TITLES = { step: "step", time: "seconds of training", tokens: "target tokens" };

function curveNames() {
  const clocks = Object.values(CLOCKS);
  return [...new Set(runs.flatMap((run) => Object.keys(run.curves)))].filter((name) => !clocks.includes(name)).sort();
}

// Places along the x axis, in the mean of the members; null if a member did not log them.
function placesOf(row, steps) {
  const clock = CLOCKS[view.x];
  if (clock === null) return steps;
  const clocks = row.members.map((run) => own(run.curves, clock));
  if (clocks.some((curve) => curve === undefined)) return null;
  return steps.map((step) => mean(clocks.map((curve) => between(curve, step))));
}

// An exponential moving average that is right from its first value on.
function smooth(values, weight) {
  let [sum, total] = [0, 0];
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

function tracesOf(row) {
  const { curve, deviations } = meanCurve(row.members, view.curve);
  const x = placesOf(row, curve[0]);
  if (x === null) return [];
  const y = smooth(curve[1], view.smoothing);
  const dash = DASHES[Math.floor(chosenPlace(row) / palette().length) % DASHES.length];
  const line = { color: colour(row), width: 1.8, dash };
  const own = { x, y, name: escapeHtml(row.name), mode: x.length < 30 ? "lines+markers" : "lines", line, marker: { size: 5 }, hovertemplate: "%{y:.4g} at %{x}<extra>%{fullData.name}</extra>" };
  const quiet = { hoverinfo: "skip", showlegend: false, mode: "lines", legendgroup: row.id };
  const traces = [{ ...own, legendgroup: row.id }];
  if (deviations) {
    const spread = smooth(deviations, view.smoothing);
    const edge = (sign) => y.map((value, place) => value + sign * spread[place]);
    traces.unshift({ ...quiet, x: [...x, ...x.toReversed()], y: [...edge(1), ...edge(-1).toReversed()], fill: "toself", fillcolor: colour(row), opacity: 0.18, line: { width: 0 } });
  } else if (view.smoothing) {
    traces.unshift({ ...quiet, x, y: curve[1], line: { ...line, width: 1 }, opacity: 0.25 });
  }
  return traces;
}

function drawCurves() {
  const names = curveNames();
  if (!names.includes(view.curve)) {
    const wanted = view.metric.replace(/^test\//, "val/");
    view.curve = names.includes(wanted) ? wanted : (names[0] ?? "");
  }
  fillSelect(byId("curve"), names, view.curve);
  const drawn = chosenRows().filter((row) => row.members.some((run) => own(run.curves, view.curve)));
  if (!drawn.length) return sayEmpty("curves", "No chosen run has logged this curve; choose runs in the leaderboard.");
  const traces = drawn.flatMap(tracesOf);
  if (!traces.length) return sayEmpty("curves", `The chosen runs have not logged ${CLOCKS[view.x]}; show the curves by step.`);
  readyForChart("curves");
  const legend = { orientation: "h", x: 0, xanchor: "left", y: -0.16, yanchor: "top", font: { size: 11 } };
  const perLine = byId("curves").clientWidth < 600 ? 1 : 2;
  const height = 380 + 20 * Math.ceil(drawn.length / perLine);
  const axis = (title, isLog) => ({ ...axisStyle(), type: isLog ? "log" : "linear", title: { text: title } });
  drawChart("curves", traces, { height, legend, showlegend: true, xaxis: axis(CLOCK_TITLES[view.x], view.logX), yaxis: axis(view.curve, view.logY) });
}

function listenToCurves() {
  const redraw = (key, read) => (event) => {
    view[key] = read(event.target);
    drawCurves();
    writeAddress();
  };
  byId("curve").addEventListener("change", redraw("curve", (input) => input.value));
  byId("clock").addEventListener("change", redraw("x", (input) => input.value));
  byId("log-x").addEventListener("change", redraw("logX", (input) => input.checked));
  byId("log-y").addEventListener("change", redraw("logY", (input) => input.checked));
  byId("smoothing").addEventListener("input", redraw("smoothing", (input) => Number(input.value)));
}

function showCurveControls() {
  const logged = new Set(runs.flatMap((run) => Object.keys(run.curves)));
  const clocks = Object.keys(CLOCKS).filter((key) => CLOCKS[key] === null || logged.has(CLOCKS[key]));
  if (!clocks.includes(view.x)) view.x = "step";
  fillSelect(byId("clock"), clocks, view.x);
  byId("log-x").checked = view.logX;
  byId("log-y").checked = view.logY;
  byId("smoothing").value = view.smoothing;
}
