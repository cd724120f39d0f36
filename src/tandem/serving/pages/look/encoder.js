// Stations 2 to 4: embeddings, encoder layers and the context vector.
import { count, make, makeSvg } from "../dom.js";
import { isStill } from "../theme.js";
import { links, straightLinks } from "./links.js";
import { headButtons } from "./self_attention.js";
import { lack, lacksOf, station } from "./station.js";
import { stateStrip, vectorStrip } from "./strip.js";
import { contextWords, EMBEDDINGS, encoderWords, familyOf } from "./words.js";

const numbers = (units) => `${count(units, "number")} a row`;

export function embeddingStation(view, { height }) {
  const heading = { id: "station-embeddings", number: 2, title: "Embeddings", explanation: EMBEDDINGS };
  if (!view.record.embeddings) return station(heading, make("p"), make("div"), lack(view.record.model.lacks.embeddings));
  const { rows, units } = view.record.embeddings;
  const { strip, below } = stateStrip(view, { rows, units, name: "Embeddings", height });
  return station(
    heading,
    make("p", { class: "caption" }, numbers(units)),
    make("div", { class: "body" }, straightLinks(view, rows.length, height), strip),
    make("div", { class: "below" }, below),
  );
}

export function encoderStation(view, { height }) {
  const { model, encoder } = view.record;
  const parts = encoder.layers.map((layer, place) => layerParts(view, layer, encoder.self_attention?.[place] ?? null, height));
  const missing = lacksOf(model, ["encoder_layers", "encoder_self_attention"]);
  const columns = `repeat(${parts.length}, var(--column))`;
  const kinds = ["caption", "body", "below"];
  const rows = kinds.map((kind, line) => {
    const row = make("div", { class: `layers ${kind}s` }, parts.map((part) => part[kind]));
    row.style.gridTemplateColumns = columns;
    parts.forEach((part, place) => (part[kind].style.order = kinds.length * place + line)); // for narrow screens
    return row;
  });
  rows[2].append(...missing);
  return station({ id: "station-encoder", number: 3, title: `Encoder: ${model.encoder}`, explanation: encoderWords(model.encoder), kind: "encoder" }, rows);
}

function layerParts(view, layer, heads, height) {
  const name = `Encoder, ${layer.name}`;
  const { strip, below } = stateStrip(view, { rows: layer.rows, units: layer.units, name, height });
  const between = links(view, { rows: layer.rows.length, height, family: familyOf(view.record.model.encoder), heads });
  return {
    caption: make("p", { class: "caption" }, make("b", {}, layer.name), ` · ${layer.units} wide`),
    body: make("div", { class: "body" }, between, strip),
    below: make("div", { class: "below" }, below, heads ? headButtons(view, layer, heads) : null),
  };
}

const FUNNEL = 120; // pixels across
const MOUTH = 22; // pixels of the context vector's height
const DROPS = 5;

// From all rows into one: a funnel, through which drops run; what attention leaves open runs beside it.
function funnel(height, isAll) {
  const [top, bottom] = [(height - MOUTH) / 2, (height + MOUTH) / 2];
  const bend = FUNNEL * 0.55;
  const drawing = makeSvg("svg", { class: `funnel${isAll ? " all" : ""}`, viewBox: `0 0 ${FUNNEL} ${height}`, width: FUNNEL, height, "aria-hidden": "true" });
  drawing.append(makeSvg("path", { class: "cone", d: `M0 0 C${bend} 0 ${bend} ${top} ${FUNNEL} ${top} V${bottom} C${bend} ${bottom} ${bend} ${height} 0 ${height} Z` }));
  for (let drop = 0; drop < DROPS; drop += 1) {
    const from = ((drop + 0.5) * height) / DROPS;
    const path = `M0 ${from} C${bend} ${from} ${bend} ${height / 2} ${FUNNEL} ${height / 2}`;
    drawing.append(makeSvg("path", { class: "stream", d: path }));
    if (isAll && !isStill()) drawing.append(movingDrop(path, drop));
  }
  return drawing;
}

function movingDrop(path, place) {
  const drop = makeSvg("circle", { r: 3.5, class: "drop-dot" });
  drop.append(makeSvg("animateMotion", { path, dur: "2.4s", begin: `${(place * 2.4) / DROPS}s`, repeatCount: "indefinite" }));
  return drop;
}

export function contextStation(view, { height }) {
  const { summary, units, all_the_decoder_gets: isAll } = view.record.memory;
  const { canvas, legend } = vectorStrip(summary, units, "Context vector");
  const said = isAll
    ? [make("b", {}, "Bottleneck: "), `all that the decoder gets are these ${units} numbers.`]
    : [make("b", {}, "Open road: "), `beside it, all ${view.positions} rows stay in reach of attention.`];
  return station(
    { id: "station-context", number: 4, title: "Context vector", explanation: contextWords(isAll), kind: "context" },
    make("p", { class: "caption" }, count(units, "number")),
    make("div", { class: "body" }, funnel(height, isAll), make("div", { class: "mouth" }, canvas)),
    make("div", { class: "below" }, legend, make("p", { class: isAll ? "verdict narrow" : "verdict" }, said)),
  );
}
