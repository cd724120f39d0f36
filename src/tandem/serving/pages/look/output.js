// Station 6: the output, and what else search found.
import { decimal, make } from "../dom.js";
import { beamTree } from "./beam.js";
import { lack, station } from "./station.js";
import { BEAM, OUTPUT } from "./words.js";

export function outputStation(view) {
  const { text, score, n_best: others } = view.record.output;
  const items = others.map((one) => make("li", {}, make("span", { class: "text" }, one.text || "(an empty output)"), " ", make("span", { class: "score" }, decimal(one.score))));
  return station(
    { id: "station-output", number: 6, title: "Output", explanation: OUTPUT, kind: "output" },
    make("p", { class: "result" }, text || "(an empty output)"),
    make("p", { class: "caption" }, `score ${decimal(score)}`),
    items.length > 1 ? make("div", {}, make("h3", {}, "The best that search found"), make("ol", { class: "n-best" }, items)) : null,
  );
}

export function beamStation(view) {
  const { beam, model } = view.record;
  const missing = model.lacks.beam ?? "This search keeps no tree.";
  return station(
    { id: "station-beam", number: 7, title: "Search as a tree", explanation: BEAM, kind: "beam" },
    beam ? beamTree(beam) : lack(missing),
  );
}
