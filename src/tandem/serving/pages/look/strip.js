// A heat strip with one row a position, which points at a position and shows where is pointed at.
import { decimal, make, visible } from "../dom.js";
import { signHeat, signLegend } from "./heat.js";

// rows: (S, columns); units: how many numbers the model has where the strip has columns; height in pixels.
export function stateStrip(view, { rows, units, name, height }) {
  const { canvas, limit } = signHeat(rows, `${name}: ${rows.length} rows of ${units} numbers`);
  canvas.style.height = `${height}px`;
  const marker = make("div", { class: "marker", hidden: true });
  const reading = make("p", { class: "reading" });
  const strip = make("div", { class: "strip" }, canvas, marker);
  const rowAt = (event) => Math.min(Math.floor((event.offsetY / height) * rows.length), rows.length - 1);
  const toRow = (position) => Math.floor(((position + 0.5) / view.positions) * rows.length);
  canvas.addEventListener("pointermove", (event) => {
    const row = Math.max(rowAt(event), 0);
    const column = Math.min(Math.floor((event.offsetX / canvas.clientWidth) * rows[row].length), rows[row].length - 1);
    view.setPosition(Math.floor(((row + 0.5) / rows.length) * view.positions));
    reading.textContent = readingOf(rows[row][column], column, rows[row].length, units);
  });
  canvas.addEventListener("pointerleave", () => {
    reading.textContent = "";
    view.setPosition(null);
  });
  view.follow(["position"], () => {
    marker.hidden = view.position === null;
    if (marker.hidden) return;
    marker.style.top = `${(toRow(view.position) * height) / rows.length}px`;
    marker.style.height = `${Math.max(height / rows.length, 3)}px`;
  });
  return { strip, below: make("div", {}, signLegend(limit), reading) };
}

function readingOf(value, column, columns, units) {
  const first = Math.floor((column * units) / columns) + 1;
  const last = Math.floor(((column + 1) * units) / columns);
  const said = value === null ? "not finite" : decimal(value);
  return first >= last ? `number ${first}: ${said}` : `mean of numbers ${first}–${last}: ${said}`;
}

// One row of numbers, such as the context vector.
export function vectorStrip(values, units, name) {
  const { canvas, limit } = signHeat([values], `${name}: ${units} numbers`);
  canvas.classList.add("vector");
  return { canvas, legend: signLegend(limit) };
}

export const positionName = (view, position) => visible(view.label(position));
