// A station of the road: heading, a sentence for newcomers, and what there is to see.
import { make } from "../dom.js";
import { remember, remembered } from "../theme.js";

const KEY = "tandem-explanations";

export const areExplained = () => remembered(KEY) !== "folded";

export function explainAll(open) {
  remember(KEY, open ? "open" : "folded");
  for (const fold of document.querySelectorAll(".road details.explanation")) fold.open = open;
}

export function station({ id, number, title, explanation, kind = "" }, ...content) {
  const heading = make("h2", { id: `${id}-title` }, make("span", { class: "badge" }, String(number)), title);
  const fold = make("details", { class: "explanation", open: areExplained() }, make("summary", {}, "What is this?"), make("p", {}, explanation));
  return make("section", { id, class: `station ${kind}`, tabindex: -1, "aria-labelledby": `${id}-title` }, heading, fold, ...content);
}

// What a model does not have, in the place where it would be.
export const lack = (sentence) => make("p", { class: "lack" }, make("b", {}, "Not here: "), sentence);

// The same for several parts; a sentence that two of them share is said once.
export const lacksOf = ({ lacks }, parts) => [...new Set(parts.map((part) => lacks[part]).filter(Boolean))].map(lack);

// What is shown of something that has more.
export const remark = (sentence) => make("p", { class: "lack" }, sentence);
