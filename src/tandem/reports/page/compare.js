// Chosen runs side by side: configs, significance, samples and attention maps.
const MAX_PAIRS = 12;

function runHeads(list) {
  return list.map((run) => make("th", { scope: "col", title: run.folder }, run.name));
}

function drawDifferences() {
  const chosen = chosenRows();
  const keys = data.keys.filter((key) => new Set(chosen.map((run) => JSON.stringify(own(run.settings, key)))).size > 1 && !(view.seeds && key === "seed"));
  if (chosen.length < 2 || !keys.length) return byId("differences").replaceChildren();
  const head = make("tr", {}, make("th", { scope: "col", class: "pinned" }, "key"), ...runHeads(chosen));
  const rows = keys.map((key) =>
    make("tr", {}, make("th", { scope: "row", class: "pinned" }, key), ...chosen.map((run) => make("td", {}, Object.hasOwn(run.settings, key) ? String(own(run.settings, key)) : "–"))));
  byId("differences").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

// p of two runs that were tested on the same rows; null if they were not.
function pValue(a, b) {
  for (const group of own(data.pairs, view.metric) ?? []) {
    const [i, j] = [group.runs.indexOf(a.place), group.runs.indexOf(b.place)];
    if (i >= 0 && j >= 0) return (group.asExtreme[Math.max(i, j)][Math.min(i, j)] + 1) / (data.resamples + 1);
  }
  return null;
}

function pairCell(a, b) {
  if (a === b) return make("td", {}, "");
  const p = pValue(a, b);
  if (p === null) return make("td", { class: "range" }, "other or no test rows");
  const difference = a.metrics[view.metric] - b.metrics[view.metric];
  const sign = difference > 0 ? "+" : "";
  return make("td", { class: p < 0.05 ? "sure" : null }, `${sign}${format(view.metric, difference)} `, make("span", { class: "range" }, `p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}`));
}

function drawPairs() {
  const compared = chosenRows().flatMap((row) => row.members).filter((run) => has(run, view.metric)).slice(0, MAX_PAIRS);
  if (compared.length < 2 || !own(data.pairs, view.metric)) return byId("pairs").replaceChildren();
  const head = make("tr", {}, make("th", { scope: "col", class: "pinned" }, view.metric), ...runHeads(compared));
  const rows = compared.map((a) => make("tr", {}, make("th", { scope: "row", class: "pinned" }, a.name), ...compared.map((b) => pairCell(a, b))));
  byId("pairs").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

// The source's picture or recording, if the run kept a copy.
function mediaElement(row) {
  if (!row.media) return null;
  if (row.media.startsWith("data:audio/")) return make("audio", { src: row.media, controls: true, preload: "none" });
  return make("img", { src: row.media, alt: row.source, loading: "lazy" });
}

function drawSamples() {
  const chosen = chosenRows().map((row) => row.members.find((run) => Object.keys(run.samples).length)).filter((run) => run !== undefined);
  const onlyDiffering = byId("differing").checked;
  const rows = data.samples.flatMap((row, place) => {
    const found = chosen.map((run) => run.samples[place]);
    if (found.every((output) => output === undefined)) return [];
    if (onlyDiffering && new Set(found.map((output) => output?.number)).size < 2) return [];
    const cells = found.map((output) => make("td", { class: output?.right ? "right" : null }, output?.text ?? "–"));
    return [make("tr", {}, make("th", { scope: "row" }, mediaElement(row), row.source), make("td", {}, row.references.join("\n")), ...cells)];
  });
  if (!rows.length) return byId("samples").replaceChildren();
  const head = make("tr", {}, make("th", { scope: "col" }, "source"), make("th", { scope: "col" }, "reference"), ...runHeads(chosen));
  byId("samples").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
}

function drawMaps() {
  const pictured = chosenRows().filter((run) => run.map);
  if (!pictured.length) return sayEmpty("maps", `None of the chosen runs has a map here; the page holds one of each of the best ${data.maxMaps} runs that drew any.`);
  byId("maps").replaceChildren(...pictured.map((run) =>
    make("figure", {}, make("img", { src: run.map, alt: `Attention of ${run.name}`, loading: "lazy" }), make("figcaption", {}, run.name))));
}
