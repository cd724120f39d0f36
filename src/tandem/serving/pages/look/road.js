// The whole road, from the source to the output, and the bar that leads along it.
import { byId, make, makeButton } from "../dom.js";
import { isStill } from "../theme.js";
import { decoderStation } from "./decoder.js";
import { contextStation, embeddingStation, encoderStation } from "./encoder.js";
import { beamStation, outputStation } from "./output.js";
import { sourceStation } from "./source.js";
import { areExplained, explainAll } from "./station.js";
import { View } from "./view.js";

const [FIXED, BETWEEN] = [446, 56]; // pixels of the road beside its strips, and before each of them
const TALL = 900; // pixels of rows above which the road scrolls by itself
const [NARROWEST, WIDEST] = [96, 320]; // pixels of a strip
let observer = null;

const ROWS = { text: [26, 18, 14], other: { height: 300, least: 2, most: 10 } };

// How high a row is: words need room, places of a picture and slices of time less.
function sizes({ tokens, positions }) {
  const { height, least, most } = ROWS.other;
  const rowHeight = tokens ? ROWS.text[positions <= 24 ? 0 : positions <= 60 ? 1 : 2] : Math.min(Math.max(height / positions, least), most);
  return { rowHeight, height: rowHeight * positions };
}

const descent = (isAll) => (isAll ? "↓ only the context vector goes on to the decoder" : "↓ the context vector, and by attention all rows of the last layer, go on to the decoder");

// Strips share the width that is there.
function fitStrips(place) {
  const narrow = matchMedia("(max-width: 640px)");
  const fit = () => {
    const strips = place.querySelectorAll(".reads .strip:not(.turned)").length || 1;
    const others = FIXED + BETWEEN * strips;
    const share = Math.min(Math.max((place.clientWidth - others) / strips, NARROWEST), WIDEST);
    place.style.setProperty("--strip", narrow.matches ? "100%" : `${Math.floor(share)}px`);
    place.style.setProperty("--column", narrow.matches ? "100%" : `${Math.floor(share) + BETWEEN}px`);
  };
  observer?.disconnect();
  observer = new ResizeObserver(fit);
  observer.observe(place);
  fit();
}

function walkTo(section) {
  section.scrollIntoView({ behavior: isStill() ? "auto" : "smooth", block: "nearest", inline: "center" });
  section.focus({ preventScroll: true });
}

function drawWalk(sections) {
  const buttons = sections.map((section) => {
    const heading = section.querySelector("h2");
    return makeButton(`${heading.textContent.slice(0, 1)} ${heading.textContent.slice(1).replace(/:.*/, "")}`, {}, () => walkTo(section));
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
    make("div", { class: `scroll floor reads${size.height > TALL ? " tall" : ""}`, role: "region", "aria-label": "The encoder reads", tabindex: 0 }, reads),
    make("p", { class: "descent" }, descent(record.memory.all_the_decoder_gets)),
    make("div", { class: "floor writes" }, decoder, output),
    beam,
  );
  fitStrips(place);
  drawWalk([...reads, decoder, output, beam]);
  return view;
}
