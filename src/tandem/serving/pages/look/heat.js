// Numbers as colours: one cell a number, on a canvas that the style sheet stretches.
import { make } from "../dom.js";
import { limitOf, rgb, shareColour, signColour } from "./colours.js";

function paint(canvas, rows, colour) {
  canvas.height = rows.length;
  canvas.width = rows[0]?.length || 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  let place = 0;
  for (const row of rows) {
    for (const value of row) {
      image.data.set(colour(value), place);
      image.data[place + 3] = 255;
      place += 4;
    }
  }
  context.putImageData(image, 0, 0);
}

function makeCanvas(rows, label, colour) {
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const canvas = make("canvas", { class: "heat", ...named });
  paint(canvas, rows, colour);
  return canvas;
}

// Rows of numbers of both signs: orange above zero, blue below.
export function signHeat(rows, label) {
  const limit = limitOf(rows);
  return { canvas: makeCanvas(rows, label, (value) => signColour(value, limit)), limit };
}

// Rows of shares, the darkest being `most`; without a label inside what has one.
export function shareHeat(rows, label, most = 1) {
  return makeCanvas(rows, label, (value) => shareColour(value / (most || 1)));
}

// The weight that gets the darkest colour: the largest, but well above that of evenly spread ones.
export const darkest = (rows) => Math.max(...rows.map((row) => Math.max(...row)), Math.min(1, 4 / rows[0].length));

const number = (value) => value.toPrecision(2).replace("-", "−");

// Which colour means what.
export function signLegend(limit) {
  const bar = make("span", { class: "legend-bar", "aria-hidden": "true" });
  for (let place = 0; place <= 10; place += 1) {
    const cell = make("span");
    cell.style.background = rgb(signColour(place - 5, 5));
    bar.append(cell);
  }
  return make("p", { class: "legend" }, number(-limit), bar, number(limit));
}
