// Station 6: the output, and what else search found.
import { count, decimal, make } from "../dom.js";
import { beamTree } from "./beam.js";
import { lack, station } from "./station.js";
import { BEAM, OUTPUT } from "./words.js";

export function outputStation(view) {
  const { text, score, ended, n_best: others } = view.record.output;
  const items = others.map((one) => make("li", {}, make("span", { class: "text" }, one.text || "(an empty output)"), " ", make("span", { class: "score" }, decimal(one.score))));
  return station(
    { id: "station-output", number: 6, title: "Output", explanation: OUTPUT, kind: "output" },
    make("p", { class: "result" }, text || "(an empty output)"),
    make("p", { class: "caption" }, `score ${decimal(score)}`),
    ended ? null : make("p", { class: "note" }, "The output did not end by itself: it was cut off at the greatest length."),
    items.length > 1 ? make("div", {}, make("h3", {}, "The best that search found"), make("ol", { class: "n-best" }, items)) : null,
  );
}

export function beamStation(view) {
  const { beam, model } = view.record;
  return station(
    { id: "station-beam", number: 7, title: "Search as a tree", explanation: BEAM, kind: "beam" },
    model.lacks.beam ? lack(model.lacks.beam) : null,
    beamTree(beam),
    beam.omitted ? make("p", { class: "note" }, `${count(beam.omitted, "beginning")} that fared worst and came last ${beam.omitted === 1 ? "is" : "are"} left out.`) : null,
  );
}
