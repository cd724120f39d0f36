// Attention of all steps at once; a row, or a small picture, is a button to its step.
import { make, makeButton, percent, short, visible } from "../dom.js";
import { pictureCover } from "./attention.js";
import { darkest, shareHeat } from "./heat.js";

const LETTERS = 16;
const HIGHEST = 40; // pixels that a row needs
const MOST_NAMES = 40; // of source tokens that are written above their columns

function mapRow(view, step, place, most) {
  const name = short(visible(step.token), LETTERS);
  const button = makeButton("", { class: "map-row", "aria-label": `Step ${place + 1}: ${name}` }, () => view.setStep(place));
  button.append(make("span", { class: "map-name" }, name), shareHeat([step.attention], "", most));
  return button;
}

function columnNames(view) {
  const { tokens } = view.record.source;
  if (!tokens || tokens.length > MOST_NAMES) return null;
  return make("div", { class: "map-columns", "aria-hidden": "true" }, make("span", { class: "map-name" }), make("div", {}, tokens.map((token) => make("span", {}, make("span", {}, short(visible(token), LETTERS))))));
}

function thumbnail(view, step, place) {
  const { source } = view.record;
  const button = makeButton("", { class: "thumbnail", "aria-label": `Step ${place + 1}: ${visible(step.token)}` }, () => view.setStep(place));
  button.append(make("span", { class: "picture" }, make("img", { src: source.picture, alt: "" }), pictureCover(source, step.attention)), make("span", {}, short(visible(step.token), LETTERS)));
  return button;
}

// null if the decoder has no attention.
export function attentionMap(view) {
  if (!view.steps[0].attention) return null;
  const { media, grid } = view.record.source;
  const isPicture = media === "image" && grid;
  const most = darkest(view.steps.map((step) => step.attention));
  const items = view.steps.map((step, place) => (isPicture ? thumbnail(view, step, place) : mapRow(view, step, place, most)));
  const box = make("div", { class: isPicture ? "thumbnails" : "map-rows" }, items);
  view.follow(["step"], () => {
    items.forEach((item, place) => item.setAttribute("aria-pressed", String(place === view.step)));
    const { offsetTop } = items[view.step];
    if (offsetTop < box.scrollTop || offsetTop > box.scrollTop + box.clientHeight - HIGHEST) box.scrollTop = offsetTop - HIGHEST;
  });
  const scale = isPicture ? "Colours are relative to the step's largest weight." : `The darkest colour stands for ${percent(most)} or more.`;
  return make("details", { class: "map", open: true }, make("summary", {}, "All steps at once"), isPicture ? null : columnNames(view), box, make("p", { class: "note" }, scale));
}
