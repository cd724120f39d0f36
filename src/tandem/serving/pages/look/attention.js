// What the decoder looks at in one step: tokens, picture, spectrogram, or the context vector alone.
import { count, make, makeSvg, percent, visible } from "../dom.js";
import { lack } from "./station.js";
import { vectorStrip } from "./strip.js";

const ROW = 24; // pixels of a token
const WIDTH = 90; // pixels of the lines' field
const CLEAR = 0.03; // of weight, below which no line is drawn
const ALL = 40; // tokens that are all shown
const MOST = 16; // tokens of a longer source

const weightsOf = (view) => view.steps[view.step].attention;

// All positions, or of a long source those with the most weight, in their order.
function shownPositions(weights) {
  const positions = weights.map((_, position) => position);
  if (positions.length <= ALL) return positions;
  return positions.sort((a, b) => weights[b] - weights[a]).slice(0, MOST).sort((a, b) => a - b);
}

function tokenItem(view, position, weight) {
  const token = view.record.source.tokens[position];
  const bar = make("span", { class: "bar" });
  bar.style.width = `${100 * weight}%`;
  const share = weight >= 0.01 ? percent(weight) : "";
  const item = make("li", { title: token }, bar, make("span", { class: "token" }, visible(token)), make("span", { class: "share" }, share));
  item.addEventListener("pointerenter", () => view.setPosition(position));
  item.addEventListener("pointerleave", () => view.setPosition(null));
  return item;
}

function tokenLine(weight, place, height) {
  const from = (place + 0.5) * ROW;
  const d = `M0 ${from} C${WIDTH / 2} ${from} ${WIDTH / 2} ${height / 2} ${WIDTH} ${height / 2}`;
  return makeSvg("path", { class: "line pointed", d, "stroke-width": 1 + 9 * weight, "stroke-opacity": 0.3 + 0.7 * weight });
}

// Tokens with bars, and lines into the decoder that are as thick as the weights.
function overTokens(view) {
  const height = ROW * Math.min(view.positions, view.positions > ALL ? MOST : ALL);
  const list = make("ol", { class: "attended", "aria-label": "How much each token is looked at" });
  const drawing = makeSvg("svg", { class: "links", viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, "aria-hidden": "true" });
  let positions = [];
  view.follow(["step"], () => {
    const weights = weightsOf(view);
    positions = shownPositions(weights);
    list.replaceChildren(...positions.map((position) => tokenItem(view, position, weights[position])));
    const least = Math.min(CLEAR, Math.max(...weights) / 4);
    drawing.replaceChildren(...positions.flatMap((position, place) => (weights[position] < least ? [] : tokenLine(weights[position], place, height))));
  });
  view.follow(["position"], () => positions.forEach((position, place) => list.children[place].classList.toggle("at", position === view.position)));
  const note = view.positions > ALL ? make("p", { class: "note" }, `The ${MOST} of ${view.positions} tokens that are looked at most.`) : null;
  return [make("div", { class: "attended-box" }, list, note), drawing];
}

// Weights laid over a picture: the colour's strength relative to the largest weight.
export function pictureCover(source, weights) {
  const [rows, columns] = source.grid;
  const cover = make("canvas", { class: "cover", width: columns, height: rows, "aria-hidden": "true" });
  const context = cover.getContext("2d");
  const image = context.createImageData(columns, rows);
  const most = Math.max(...weights) || 1;
  weights.forEach((weight, place) => image.data.set([232, 89, 12, 215 * (weight / most)], 4 * place));
  context.putImageData(image, 0, 0);
  return cover;
}

function overPicture(view) {
  const { source } = view.record;
  const place = make("div", { class: "picture large" }, make("img", { src: source.picture, alt: "" }));
  const caption = make("figcaption", {});
  view.follow(["step"], () => {
    const weights = weightsOf(view);
    place.querySelector(".cover")?.remove();
    place.append(pictureCover(source, weights));
    const best = weights.indexOf(Math.max(...weights));
    const [row, column] = [Math.floor(best / source.grid[1]) + 1, (best % source.grid[1]) + 1];
    caption.textContent = `Most at row ${row}, column ${column}: ${percent(weights[best])}`;
  });
  return [make("figure", {}, place, caption), pipe()];
}

// The way from what is looked at into the decoder.
const pipe = () => makeSvg("svg", { class: "links pipe", viewBox: "0 0 100 60", preserveAspectRatio: "none", "aria-hidden": "true" }, makeSvg("path", { d: "M0 8 C50 8 50 24 100 24 V36 C50 36 50 52 0 52 Z" }));

// The curve of weights over time, under a spectrogram that it lights up.
function overSpectrogram(view) {
  const { picture, seconds } = view.record.source;
  const positions = view.positions;
  const place = make("div", { class: "heard" }, make("img", { src: picture, alt: "Spectrogram, time from left to right" }));
  const drawing = makeSvg("svg", { viewBox: `0 0 ${positions} 100`, preserveAspectRatio: "none", class: "over", "aria-hidden": "true" });
  const curve = makeSvg("svg", { viewBox: `0 0 ${positions} 100`, preserveAspectRatio: "none", class: "curve", "aria-hidden": "true" });
  place.append(drawing);
  const caption = make("figcaption", {});
  view.follow(["step"], () => {
    const weights = weightsOf(view);
    const most = Math.max(...weights) || 1;
    drawing.replaceChildren(...weights.map((weight, x) => makeSvg("rect", { x, y: 0, width: 1.02, height: 100, "fill-opacity": 0.82 * (1 - weight / most) })));
    const points = weights.map((weight, x) => `L${x + 0.5} ${100 - (96 * weight) / most}`).join(" ");
    curve.replaceChildren(makeSvg("path", { d: `M0 100 ${points} L${positions} 100 Z` }));
    const best = weights.indexOf(most);
    caption.textContent = `Most at ${((best + 0.5) * (seconds / positions)).toFixed(2)} s of ${seconds.toFixed(2)} s: ${percent(most)}`;
  });
  return [make("figure", { class: "wide" }, place, curve, caption)];
}

function contextAlone(view) {
  const { summary, units, all_the_decoder_gets: isAll } = view.record.memory;
  const { canvas } = vectorStrip(summary, units, "Context vector");
  const box = make("div", { class: "alone" }, make("p", {}, make("b", {}, "Context vector, "), count(units, "number"), isAll ? ", the same at every step" : ""), canvas, lack(view.record.model.lacks.decoder_attention));
  return [box, pipe()];
}

export function attended(view) {
  const { media, grid } = view.record.source;
  if (!weightsOf(view)) return { kind: "none", parts: contextAlone(view) };
  if (media === "text" && view.record.source.tokens) return { kind: "text", parts: overTokens(view) };
  if (media === "image" && grid) return { kind: "image", parts: overPicture(view) };
  return { kind: "audio", parts: overSpectrogram(view) };
}
