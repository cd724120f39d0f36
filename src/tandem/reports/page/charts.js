// Pictures by Plotly: heat maps, importance and lines of shown rows.
const chartLayout = () => ({
  font: { family: "system-ui, sans-serif", size: 12, color: styleColour("ink") },
  paper_bgcolor: styleColour("paper"),
  plot_bgcolor: styleColour("paper"),
  margin: { l: 60, r: 20, t: 20, b: 44 },
});
const axisStyle = () => ({ gridcolor: styleColour("line"), linecolor: styleColour("edge"), zeroline: false, automargin: true });
const SETTINGS = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const DASHES = ["solid", "dash", "dot"];

const escapeHtml = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

// A chart is drawn when it comes into sight, so that a page of many runs opens at once.
const waiting = new Map();
const inSight = new Set();
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      inSight[isIntersecting ? "add" : "delete"](target.id);
      if (isIntersecting) drawWaiting(target.id);
    }
  },
  { rootMargin: "200px" },
);
for (const place of document.querySelectorAll(".chart")) watcher.observe(place);

function drawWaiting(id) {
  waiting.get(id)?.();
  waiting.delete(id);
}

function drawChart(id, traces, layout) {
  byId(id).style.minHeight = `${layout.height}px`;
  waiting.set(id, () => Plotly.react(id, traces, { ...chartLayout(), ...layout }, SETTINGS));
  if (inSight.has(id)) drawWaiting(id);
}

function sayEmpty(id, sentence) {
  const place = byId(id);
  waiting.delete(id);
  place.style.minHeight = "";
  if (place.classList.contains("js-plotly-plot")) Plotly.purge(place);
  place.replaceChildren(make("p", { class: "empty" }, sentence));
}

function readyForChart(id) {
  byId(id).querySelector(".empty")?.remove();
}

const distinct = (list) => [...new Set(list)].sort(inOrder);

// Shown rows whose scores may be averaged and compared; null, and a sentence, for several test sets.
function comparableRows(id) {
  const scored = shown.filter((row) => isRanked(row) && has(row, view.metric));
  if (new Set(scored.map((row) => row.set)).size < 2) return scored;
  sayEmpty(id, "The shown runs have several test sets, whose scores do not compare; choose one.");
  return null;
}

function drawMatrix() {
  const scored = comparableRows("matrix");
  if (scored === null) return;
  const of = (part) => distinct(scored.map((run) => run.parts[part]));
  const [encoders, decoders, attentions] = [of("encoder"), of("decoder"), of("attention")];
  if (encoders.length < 2 && decoders.length < 2) {
    return sayEmpty("matrix", "The shown runs have one encoder and one decoder, so there is nothing to set side by side.");
  }
  readyForChart("matrix");
  const across = Math.min(byId("matrix").clientWidth < 600 ? 1 : 4, attentions.length);
  const down = Math.ceil(attentions.length / across);
  const layout = { height: 40 + down * (70 + 42 * encoders.length), annotations: [], margin: { l: 96, r: 90, t: 36, b: 40 } };
  layout.coloraxis = { colorscale: scale(), reversescale: modes.get(view.metric) === "min", colorbar: { thickness: 12, outlinewidth: 0, title: { text: view.metric, side: "right" } } };
  const traces = attentions.map((attention, index) => matrixPanel({ scored, encoders, decoders, attention, index, across, down, layout }));
  drawChart("matrix", traces, layout);
}

function matrixPanel({ scored, encoders, decoders, attention, index, across, down, layout }) {
  const cells = encoders.map((encoder) => decoders.map((decoder) =>
    scored
      .filter((run) => run.parts.encoder === encoder && run.parts.decoder === decoder && run.parts.attention === attention)
      .map((run) => run.metrics[view.metric])));
  const [column, row, number] = [index % across, Math.floor(index / across), index ? index + 1 : ""];
  const [width, heightOf] = [1 / across, 1 / down];
  const top = 1 - row * heightOf;
  const domain = [column * width + 0.012, (column + 1) * width - 0.012];
  layout[`xaxis${number}`] = { domain, anchor: `y${number}`, fixedrange: true, ticklen: 0, title: { text: row === down - 1 ? "decoder" : "", font: { size: 11 } } };
  layout[`yaxis${number}`] = { domain: [top - heightOf + (down > 1 ? 0.09 : 0), top - (down > 1 ? 0.03 : 0)], anchor: `x${number}`, fixedrange: true, ticklen: 0, autorange: "reversed", showticklabels: column === 0, title: { text: column === 0 ? "encoder" : "", font: { size: 11 } } };
  layout.annotations.push({ text: `<b>${escapeHtml(attention)}</b>`, showarrow: false, xref: `x${number} domain`, yref: `y${number} domain`, x: 0, y: 1, xanchor: "left", yanchor: "bottom" });
  return {
    type: "heatmap",
    x: decoders, y: encoders,
    z: cells.map((line) => line.map((values) => (values.length ? mean(values) : null))),
    text: cells.map((line) => line.map((values) => (values.length ? format(view.metric, mean(values)) : ""))),
    customdata: cells.map((line) => line.map((values) => values.length)),
    texttemplate: "%{text}",
    hovertemplate: "encoder %{y}, decoder %{x}: %{text} (%{customdata} runs)<extra></extra>",
    xaxis: `x${number}`, yaxis: `y${number}`, coloraxis: "coloraxis", xgap: 2, ygap: 2,
  };
}

// Main parts that vary among runs, and the telling keys of the config that do.
function varyingKeys(list) {
  return [...PARTS, ...data.columns].filter((key) => distinct(list.map((run) => String(reader(key)(run) ?? ""))).length > 1);
}

// Each value's group: itself, or for numbers with many values a quarter of them.
function groupsOf(values) {
  const numbers = distinct(values.filter((value) => typeof value === "number"));
  if (numbers.length <= 5) return values.map(String);
  const ordered = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  const quarter = (value) => Math.min(3, Math.floor((4 * ordered.indexOf(value)) / ordered.length));
  return values.map((value) => (typeof value === "number" ? `quarter ${quarter(value)}` : String(value)));
}

// ε²: the share of the scores' variance between groups, corrected for how many groups there are.
function explainedShare(groups, scores) {
  const grand = mean(scores);
  const all = scores.reduce((sum, score) => sum + (score - grand) ** 2, 0);
  const names = distinct(groups);
  const within = names.reduce((sum, name) => {
    const own = scores.filter((_, place) => groups[place] === name);
    return sum + own.reduce((part, score) => part + (score - mean(own)) ** 2, 0);
  }, 0);
  const spare = scores.length - names.length;
  if (spare < 1 || all === 0) return null;
  return Math.max(0, 1 - ((within / all) * (scores.length - 1)) / spare);
}

function drawImportance(scored, keys) {
  const scores = scored.map((run) => run.metrics[view.metric]);
  const shares = keys
    .map((key) => ({ key, share: explainedShare(groupsOf(scored.map((run) => reader(key)(run) ?? "")), scores) }))
    .filter(({ share }) => share !== null)
    .sort((a, b) => b.share - a.share);
  if (!shares.length) return sayEmpty("importance", "Too few of the shown runs have this metric, or no key varies among them.");
  const bars = shares.flatMap(({ key, share }) => {
    const bar = make("div");
    bar.style.width = `${100 * share}%`;
    return [make("span", {}, key), make("div", { class: "bar" }, bar), make("span", { "data-share": key }, `${(100 * share).toFixed(0)} %`)];
  });
  byId("importance").replaceChildren(make("div", { class: "bars" }, ...bars));
}

function drawParallel(scored, keys) {
  if (!keys.length || scored.length < 2) return sayEmpty("parallel", "Nothing varies among the shown runs that have this metric.");
  readyForChart("parallel");
  const scores = scored.map((run) => run.metrics[view.metric]);
  const dimensions = keys.map((key) => parallelAxis(key, scored));
  dimensions.push({ label: view.metric, values: scores });
  const line = { color: scores, colorscale: scale(), reversescale: modes.get(view.metric) === "min" };
  drawChart("parallel", [{ type: "parcoords", dimensions, line, labelangle: 0 }], { height: 380, margin: { l: 80, r: 60, t: 60, b: 24 } });
}

function parallelAxis(key, list) {
  const values = list.map((run) => reader(key)(run) ?? "none");
  const short = key.length > 18 ? `…${key.slice(-17)}` : key;
  const ticks = distinct(values);
  if (values.every((value) => typeof value === "number") && ticks.length > 5) return { label: short, values };
  return { label: short, values: values.map((value) => ticks.indexOf(value)), tickvals: ticks.map((_, place) => place), ticktext: ticks.map((tick) => escapeHtml(String(tick))) };
}

function drawSweep() {
  const scored = comparableRows("importance");
  if (scored === null) return sayEmpty("parallel", "");
  const keys = varyingKeys(scored);
  drawImportance(scored, keys);
  drawParallel(scored, keys);
}
