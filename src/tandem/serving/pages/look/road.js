// The whole road, from the source to the output, and the bar that leads along it.
import { byId, make, makeButton } from "../dom.js";
import { isStill } from "../theme.js";
import { decoderStation } from "./decoder.js";
import { contextStation, embeddingStation, encoderStation } from "./encoder.js";
import { beamStation, outputStation } from "./output.js";
import { sourceStation } from "./source.js";
import { areExplained, explainAll } from "./station.js";
import { View } from "./view.js";

const ROWS = { text: [26, 18, 14], other: { height: 300, least: 2, most: 10 } };

// How high a row is: words need room, places of a picture and slices of time less.
function sizes({ tokens, positions }) {
  const { height, least, most } = ROWS.other;
  const rowHeight = tokens ? ROWS.text[positions <= 24 ? 0 : positions <= 60 ? 1 : 2] : Math.min(Math.max(height / positions, least), most);
  return { rowHeight, height: rowHeight * positions };
}

function walkTo(section) {
  section.scrollIntoView({ behavior: isStill() ? "auto" : "smooth", block: "nearest", inline: "center" });
  section.focus({ preventScroll: true });
}

function drawWalk(sections) {
  const buttons = sections.map((section) => {
    const heading = section.querySelector("h2");
    return makeButton(`${heading.textContent.slice(0, 1)} ${heading.textContent.slice(1).replace(/[(,].*/, "")}`, {}, () => walkTo(section));
  });
  const fold = make("input", { type: "checkbox", checked: areExplained() });
  fold.addEventListener("change", () => explainAll(fold.checked));
  byId("stations").replaceChildren(...buttons, make("label", { class: "check" }, fold, "Explain"));
  byId("stations").hidden = false;
}

// Draws a record of /inspect and gives the view; `goOn` gets a prefix that is to be forced.
export function drawRoad(place, record, { step, forced, goOn }) {
  const view = new View(record, Math.min(step, record.decoder.steps.length - 1));
  const size = sizes(record.source);
  const reads = [sourceStation, embeddingStation, encoderStation, contextStation].map((draw) => draw(view, size));
  const decoder = decoderStation(view, forced, goOn);
  const output = outputStation(view);
  const beam = beamStation(view);
  place.replaceChildren(
    make("div", { class: "scroll floor reads", role: "region", "aria-label": "The encoder reads", tabindex: 0 }, reads),
    make("div", { class: "descent", "aria-hidden": "true" }),
    make("div", { class: "floor writes" }, decoder, output),
    beam,
  );
  drawWalk([...reads, decoder, output, beam]);
  return view;
}
