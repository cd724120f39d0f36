// Self-attention of every layer and head: small squares, one of which can be enlarged.
import { byId, decimal, make, makeButton, makeSvg, percent, short, visible } from "../dom.js";
import { darkest, shareHeat } from "./heat.js";
import { positionName } from "./strip.js";

const MOST_LINES = 48; // positions of which the enlarged head draws lines
const LETTERS = 14;
const ROW = 22; // pixels

function headButton(view, layer, weights, head) {
  const name = `${layer.name}, head ${head + 1}`;
  const canvas = shareHeat(weights, "", darkest(weights));
  const marker = make("span", { class: "marker", hidden: true });
  const button = makeButton("", { class: "head", "aria-label": `Self-attention of ${name}, enlarge`, title: name }, () => enlarge(view, name, weights));
  button.append(canvas, marker);
  view.follow(["position"], () => {
    marker.hidden = view.position === null;
    const row = Math.floor((((view.position ?? 0) + 0.5) / view.positions) * weights.length);
    marker.style.top = `${(100 * row) / weights.length}%`;
    marker.style.height = `${100 / weights.length}%`;
  });
  return button;
}

// One button a head, under the strip of its layer.
export const headButtons = (view, layer, heads) =>
  make("div", { class: "heads", role: "group", "aria-label": `Self-attention heads of ${layer.name}` }, heads.map((weights, head) => headButton(view, layer, weights, head)));

function enlarge(view, name, weights) {
  const dialog = byId("enlarged");
  const title = make("h2", { id: "enlarged-title" }, `Self-attention, ${name}`);
  const note = make("p", { class: "note" }, "A row is the position that looks, a column what it looks at; the stronger the colour, the more. Choose a position to see where it looks.");
  const reading = make("p", { class: "reading", role: "status" });
  const matrix = matrixOf(weights, name);
  const content = weights.length <= MOST_LINES ? lines(view, weights, reading) : picker(view, weights, reading);
  const close = makeButton("Close", {}, () => dialog.close());
  dialog.replaceChildren(make("div", { class: "dialog-head" }, title, close), note, make("div", { class: "enlarged" }, content, matrix), reading);
  dialog.showModal();
  dialog.querySelector(".enlarged button, .enlarged input").focus();
}

function matrixOf(weights, name) {
  const canvas = shareHeat(weights, `Matrix of ${name}`, darkest(weights));
  return make("figure", {}, canvas, make("figcaption", {}, `The darkest colour stands for ${percent(darkest(weights))} or more.`));
}

function tell(view, weights, row) {
  const best = weights[row].map((weight, position) => [weight, position]).sort(([a], [b]) => b - a).slice(0, 3);
  const parts = best.map(([weight, position]) => `${positionName(view, position)} (${decimal(weight)})`);
  return `${positionName(view, row)} looks at ${parts.join(", ")}.`;
}

// All positions twice, with lines from the one that looks.
function lines(view, weights, reading) {
  const height = weights.length * ROW;
  const drawing = makeSvg("svg", { class: "links", viewBox: `0 0 120 ${height}`, width: 120, height, "aria-hidden": "true" });
  const middle = (row) => (row + 0.5) * ROW;
  const drawRow = (row, kind) =>
    weights[row].map((weight, position) => makeSvg("line", { class: kind, x1: 0, x2: 120, y1: middle(row), y2: middle(position), "stroke-width": 6 * weight, "stroke-opacity": Math.min(1, 0.15 + weight) }));
  const seen = weights.map((_, position) => make("li", {}, short(positionName(view, position), LETTERS)));
  const show = (row) => {
    drawing.replaceChildren(...drawRow(row, "line pointed"));
    seen.forEach((item, position) => item.classList.toggle("seen", weights[row][position] > 1.5 / weights.length));
    reading.textContent = tell(view, weights, row);
  };
  const looking = weights.map((_, row) => {
    const button = makeButton(short(positionName(view, row), LETTERS), {}, () => show(row));
    button.addEventListener("focus", () => show(row));
    button.addEventListener("pointerenter", () => show(row));
    return make("li", {}, button);
  });
  drawing.replaceChildren(...weights.flatMap((_, row) => drawRow(row, "line")));
  return make("div", { class: "looks" }, make("ol", { "aria-label": "The position that looks" }, looking), drawing, make("ol", { "aria-hidden": "true" }, seen));
}

function picker(view, weights, reading) {
  const slider = make("input", { type: "range", min: 0, max: weights.length - 1, value: 0, "aria-label": "The position that looks" });
  const show = () => {
    const row = Number(slider.value);
    reading.textContent = tell(view, weights, row);
    slider.setAttribute("aria-valuetext", visible(view.label(row)));
  };
  slider.addEventListener("input", show);
  show();
  return slider;
}
