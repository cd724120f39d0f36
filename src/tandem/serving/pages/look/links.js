// Lines between two stations whose rows stand side by side: how rows are mixed.
import { makeSvg } from "../dom.js";

export const WIDTH = 56;
const MOST_ROWS = 48; // of which all lines are drawn; of more, those of the row that is pointed at
const FAINTEST = 0.12; // weights below it get no line

const RECURRENT = { rnn: "chain", lstm: "chain", gru: "chain", cnn: "fan" };

const middle = (row, rows, height) => ((row + 0.5) * height) / rows;

function curve(from, to, width, attributes) {
  const bend = width / 2;
  return makeSvg("path", { d: `M0 ${from} C${bend} ${from} ${bend} ${to} ${width} ${to}`, ...attributes });
}

const mean = (heads, row) => heads[0][row].map((_, column) => heads.reduce((sum, head) => sum + head[row][column], 0) / heads.length);

// Lines into one row: [from, weight].
function sourcesOf(row, rows, encoder, heads) {
  if (heads) return mean(heads, row).map((weight, from) => [from, weight]);
  if (RECURRENT[encoder] === "fan") {
    return [row - 1, row, row + 1].filter((from) => from >= 0 && from < rows).map((from) => [from, from === row ? 0.6 : 0.3]);
  }
  return [[row, 0.6]];
}

function handOn(row, rows, height) {
  const [from, to] = [middle(row, rows, height), middle(row + 1, rows, height)];
  return makeSvg("path", { d: `M${WIDTH - 8} ${from} C${WIDTH - 24} ${from} ${WIDTH - 24} ${to} ${WIDTH - 8} ${to}`, class: "hand-on", "stroke-width": 1.5 });
}

// heads: (H, S, S) of the layer to the right, or null.
export function links(view, { rows, height, encoder, heads }) {
  const drawing = makeSvg("svg", { class: "links", viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, "aria-hidden": "true" });
  const lines = (row, kind, least) =>
    sourcesOf(row, rows, encoder, heads)
      .filter(([, weight]) => weight >= least)
      .map(([from, weight]) => curve(middle(from, rows, height), middle(row, rows, height), WIDTH, { class: kind, "stroke-width": 0.5 + 4 * weight }));
  const all = [];
  if (rows <= MOST_ROWS) {
    for (let row = 0; row < rows; row += 1) {
      all.push(...lines(row, "line", FAINTEST));
      if (RECURRENT[encoder] === "chain" && row + 1 < rows) all.push(handOn(row, rows, height));
    }
  } else {
    all.push(makeSvg("rect", { x: 0, y: 0, width: WIDTH, height, class: "band" }));
  }
  const under = makeSvg("g", {}, all);
  const over = makeSvg("g");
  drawing.append(under, over);
  view.follow(["position"], () => {
    under.classList.toggle("faded", view.position !== null);
    const row = view.position === null ? null : Math.floor(((view.position + 0.5) / view.positions) * rows);
    over.replaceChildren(...(row === null ? [] : lines(row, "line pointed", 0.02)));
  });
  return drawing;
}

// Rows that go straight on, one to one.
export const straightLinks = (view, rows, height) => links(view, { rows, height, encoder: "", heads: null });
