// Elements; text becomes a text node, never markup.
const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

export const makeSvg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function makeButton(text, attributes, onClick) {
  const button = make("button", { type: "button", ...attributes }, text);
  button.addEventListener("click", onClick);
  return button;
}

// A select from values, or from pairs of value and text.
export function fillSelect(select, options, value) {
  select.replaceChildren(
    ...options.map((option) => {
      const [name, text] = Array.isArray(option) ? option : [option, option];
      return make("option", { value: name, selected: name === value }, text);
    }),
  );
}

const SIGNS = { "\n": "⏎", "\t": "⇥", " ": "␣", "": "∅" };

// A token that would be invisible, as a sign.
export const visible = (token) => SIGNS[token] ?? token.replace(/\n/g, "⏎").replace(/\t/g, "⇥");

export const short = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

export const percent = (share) => (share >= 0.9995 ? "100 %" : share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);

export const decimal = (number) => (Math.abs(number) < 0.005 ? "0.00" : number.toFixed(2).replace("-", "−"));

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
