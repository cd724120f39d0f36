// Station 1: the tokens, the picture or the spectrogram.
import { count, make, makeSvg, visible } from "../dom.js";
import { sourceWords } from "./words.js";
import { station } from "./station.js";

// A list in which one option at a time is in the tab order, and arrow keys move.
export function positionList(view, rowHeight) {
  const options = view.record.source.tokens.map((token, position) => {
    const option = make("li", { role: "option", "aria-selected": "false", tabindex: position ? -1 : 0, title: token }, visible(token));
    option.style.height = `${rowHeight}px`;
    option.addEventListener("pointerenter", () => view.setPosition(position));
    option.addEventListener("focus", () => view.setPosition(position));
    return option;
  });
  const list = make("ol", { class: "tokens", role: "listbox", "aria-label": "Tokens of the source" }, options);
  list.addEventListener("pointerleave", () => list.contains(document.activeElement) || view.setPosition(null));
  list.addEventListener("focusout", () => view.setPosition(null));
  list.addEventListener("keydown", (event) => moveFocus(event, options));
  view.follow(["position"], () =>
    options.forEach((option, position) => option.setAttribute("aria-selected", String(position === view.position))),
  );
  return list;
}

function moveFocus(event, options) {
  const here = options.indexOf(document.activeElement);
  const moves = { ArrowDown: here + 1, ArrowRight: here + 1, ArrowUp: here - 1, ArrowLeft: here - 1, Home: 0, End: options.length - 1 };
  const there = options[moves[event.key]];
  if (!(event.key in moves)) return;
  event.preventDefault();
  if (!there) return;
  options[here].tabIndex = -1;
  there.tabIndex = 0;
  there.focus();
}

// A slider over the positions of a picture or a recording.
function positionSlider(view) {
  const slider = make("input", { type: "range", min: 0, max: view.positions - 1, step: 1, value: 0, "aria-label": "Position of the source" });
  const point = () => {
    slider.setAttribute("aria-valuetext", view.label(Number(slider.value)));
    view.setPosition(Number(slider.value));
  };
  slider.addEventListener("input", point);
  slider.addEventListener("focus", point);
  slider.addEventListener("blur", () => view.setPosition(null));
  return slider;
}

// The picture under its grid; `view.position` stands out.
function gridPicture(view) {
  const { picture, grid } = view.record.source;
  const [rows, columns] = grid;
  const lines = makeSvg("svg", { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", class: "grid", "aria-hidden": "true" });
  for (let row = 1; row < rows; row += 1) lines.append(makeSvg("line", { x1: 0, x2: columns, y1: row, y2: row }));
  for (let column = 1; column < columns; column += 1) lines.append(makeSvg("line", { y1: 0, y2: rows, x1: column, x2: column }));
  const cell = makeSvg("rect", { width: 1, height: 1, class: "cell" });
  lines.append(cell);
  const place = make("div", { class: "picture" }, make("img", { src: picture, alt: "The picture as the model gets it" }), lines);
  place.addEventListener("pointermove", (event) => {
    const box = place.getBoundingClientRect();
    const row = Math.min(Math.floor(((event.clientY - box.top) / box.height) * rows), rows - 1);
    const column = Math.min(Math.floor(((event.clientX - box.left) / box.width) * columns), columns - 1);
    view.setPosition(row * columns + column);
  });
  place.addEventListener("pointerleave", () => view.setPosition(null));
  view.follow(["position"], () => {
    cell.setAttribute("x", (view.position ?? 0) % columns);
    cell.setAttribute("y", Math.floor((view.position ?? 0) / columns));
    cell.setAttribute("visibility", view.position === null ? "hidden" : "visible");
  });
  return place;
}

// The spectrogram turned, so that its slices stand beside the rows of the next stations.
function turnedSpectrogram(view, height) {
  const canvas = make("canvas", { class: "spectrogram", role: "img", "aria-label": "Spectrogram, time from top to bottom" });
  canvas.style.height = `${height}px`;
  const image = new Image();
  image.addEventListener("load", () => {
    [canvas.width, canvas.height] = [image.height, image.width];
    const context = canvas.getContext("2d");
    context.transform(0, 1, -1, 0, image.height, 0);
    context.drawImage(image, 0, 0);
  });
  image.src = view.record.source.picture;
  const marker = make("div", { class: "marker", hidden: true });
  const place = make("div", { class: "strip turned" }, canvas, marker);
  canvas.addEventListener("pointermove", ({ offsetY }) =>
    view.setPosition(Math.min(Math.max(Math.floor((offsetY / height) * view.positions), 0), view.positions - 1)),
  );
  canvas.addEventListener("pointerleave", () => view.setPosition(null));
  view.follow(["position"], () => {
    marker.hidden = view.position === null;
    marker.style.top = `${((view.position ?? 0) * height) / view.positions}px`;
    marker.style.height = `${Math.max(height / view.positions, 2)}px`;
  });
  return place;
}

export function sourceStation(view, { rowHeight, height }) {
  const { tokens, media, seconds, grid } = view.record.source;
  const { lacks } = view.record.model;
  const captions = {
    text: () => count(view.positions, "token"),
    image: () => (grid ? `${grid[0]} × ${grid[1]} places` : count(view.positions, "position")),
    audio: () => `${seconds.toFixed(1)} s, ${count(view.positions, "position")}`,
  };
  const shown = {
    text: () => (tokens ? positionList(view, rowHeight) : null),
    image: () => (grid ? gridPicture(view) : make("img", { src: view.record.source.picture, alt: "The picture as the model gets it" })),
    audio: () => turnedSpectrogram(view, height),
  };
  return station(
    { id: "station-source", number: 1, title: { text: "Tokens", image: "Picture", audio: "Sound" }[media], explanation: sourceWords(media) },
    make("p", { class: "caption" }, captions[media]()),
    make("div", { class: "body" }, shown[media]()),
    make("div", { class: "below" }, tokens ? null : positionSlider(view), lacks.source_tokens ? make("p", { class: "note" }, lacks.source_tokens) : null),
  );
}
