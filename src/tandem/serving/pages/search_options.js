// A search and its options as form elements, made from the ranges that the server gives.
import { fillSelect, make } from "./dom.js";

const title = (name) => name.replaceAll("_", " ");

function field(name, option) {
  if (option.kind === "int" || option.kind === "float") {
    const step = option.kind === "int" ? 1 : "any";
    return make("input", { type: "number", name, value: option.default, min: option.min, max: option.max, step });
  }
  return make("input", { type: "text", name, value: option.default ?? "", required: option.default === null });
}

function value(input, option) {
  if (option.kind === "int" || option.kind === "float") return input.value === "" ? null : Number(input.value);
  if (option.kind === "list") return input.value.split(",").map((part) => part.trim());
  return input.value;
}

// Fills `place` with a choice of search and its options; `read()` gives { search, options } that differ from defaults.
export function searchOptions(place, model, onChange = () => {}) {
  const select = make("select", { name: "search" });
  fillSelect(select, Object.keys(model.searches), model.default_search);
  const fields = make("div", { class: "controls options" });
  const inputs = () => [...fields.querySelectorAll("[name]")];
  const options = () => model.searches[select.value];
  const showFields = () => {
    fields.replaceChildren(
      ...Object.entries(options()).map(([name, option]) => {
        const input = field(name, option);
        const help = make("small", {}, option.help);
        return make("label", { class: "option" }, title(name), input, help);
      }),
    );
    onChange();
  };
  select.addEventListener("change", showFields);
  fields.addEventListener("change", onChange);
  place.replaceChildren(make("label", {}, "Search", select), fields);
  const read = () => {
    const chosen = inputs().map((input) => [input.name, value(input, options()[input.name])]);
    const changed = chosen.filter(([name, one]) => one !== null && one !== options()[name].default);
    return { search: select.value, options: Object.fromEntries(changed) };
  };
  showFields();
  const isValid = () => {
    const wrong = inputs().find((input) => !input.validity.valid);
    if (wrong) wrong.closest("details").open = true; // a browser reports only what it can show
    return !wrong || wrong.reportValidity();
  };
  return { read, isValid };
}
