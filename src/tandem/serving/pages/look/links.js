// Lines between two stations whose rows stand side by side: how rows are mixed.
import { makeSvg } from "../dom.js";
import { familyOf } from "./words.js";

export const WIDTH = 56;
const MOST_ROWS = 80; // of which all lines are drawn; of more, those of the row that is pointed at
const FAINTEST = 0.12; // weights below it get no line

const middle = (row, rows, height) => ((row + 0.5) * height) / rows;

function curve(from, to, width, attributes) {
  const bend = width / 2;
  return makeSvg("path", { d: `M0 ${from} C${bend} ${from} ${bend} ${to} ${width} ${to}`, ...attributes });
}

const mean = (heads, row) => heads[0][row].map((_, column) => heads.reduce((sum, head) => sum + head[row][column], 0) / heads.length);

const rowOf = (row, rows, others) => Math.floor(((row + 0.5) / rows) * others);

// Lines into one row: [height on the left, weight]. One row of a head may stand for several positions.
function sourcesOf(row, rows, height, { family, heads }) {
  if (heads) {
    const seen = heads[0].length;
    return mean(heads, rowOf(row, rows, seen)).map((weight, from) => [middle(from, seen, height), weight]);
  }
  const near = family === "cnn" ? [row - 1, row, row + 1] : [row];
  return near.filter((from) => from >= 0 && from < rows).map((from) => [middle(from, rows, height), from === row ? 0.6 : 0.3]);
}

function handOn(row, rows, height) {
  const [from, to] = [middle(row, rows, height), middle(row + 1, rows, height)];
  return makeSvg("path", { d: `M${WIDTH - 8} ${from} C${WIDTH - 24} ${from} ${WIDTH - 24} ${to} ${WIDTH - 8} ${to}`, class: "hand-on", "stroke-width": 1.5 });
}

// family: how the layer to the right mixes its rows; heads: its weights (H, S, S), or null.
export function links(view, { rows, height, family, heads }) {
  const drawing = makeSvg("svg", { class: "links", viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, "aria-hidden": "true" });
  const lines = (row, kind, least) =>
    sourcesOf(row, rows, height, { family, heads })
      .filter(([, weight]) => weight >= least)
      .map(([from, weight]) => curve(from, middle(row, rows, height), WIDTH, { class: kind, "stroke-width": 0.5 + 4 * weight }));
  const all = [];
  if (rows <= MOST_ROWS) {
    for (let row = 0; row < rows; row += 1) {
      all.push(...lines(row, "line", FAINTEST));
      if (family === "recurrent" && row + 1 < rows) all.push(handOn(row, rows, height));
    }
  } else {
    all.push(makeSvg("rect", { x: 0, y: 0, width: WIDTH, height, class: "band" }));
  }
  const under = makeSvg("g", {}, all);
  const over = makeSvg("g");
  drawing.append(under, over);
  view.follow(["position"], () => {
    under.classList.toggle("faded", view.position !== null);
    const row = view.position === null ? null : rowOf(view.position, view.positions, rows);
    over.replaceChildren(...(row === null ? [] : lines(row, "line pointed", 0.02)));
  });
  return drawing;
}

// Rows that go straight on, one to one.
export const straightLinks = (view, rows, height) => links(view, { rows, height, family: "straight", heads: null });
