// The hypotheses of the search as a tree: which beginnings lived, and where others died.
import { count, decimal, make, makeSvg, short, visible } from "../dom.js";

const ACROSS = 118; // pixels from a symbol to the next
const DOWN = 42; // pixels from a row to the next
const BOX = { width: 96, height: 30 };
const EDGE = 10;
const LETTERS = 12;

const FATES = {
  best: ["★", "part of the best output"],
  finished: ["✓", "part of another finished output"],
  died: ["✕", "died: others scored better"],
  "cut off": ["…", "cut off when the search stopped"],
};
const RANKS = Object.keys(FATES);

// Children of each node by id, the best fate and score first.
function childrenOf(nodes) {
  const children = new Map(nodes.map((node) => [node.id, []]));
  for (const node of nodes) children.get(node.parent)?.push(node);
  for (const list of children.values()) list.sort((a, b) => RANKS.indexOf(a.fate) - RANKS.indexOf(b.fate) || b.score - a.score);
  return children;
}

// Where each node stands: its depth across; down, a first child beside its parent and others in the next free row.
function layout(nodes, children) {
  const free = []; // the first free row of each depth
  const rows = new Map();
  const placeBranch = (head, least) => {
    const branch = [];
    for (let node = head; node; node = children.get(node.id)[0]) branch.push(node);
    const row = Math.max(least, ...branch.map((node) => free[node.depth] ?? 0));
    for (const node of branch) {
      rows.set(node.id, row);
      free[node.depth] = row + 1;
    }
    for (const node of branch.reverse()) for (const child of children.get(node.id).slice(1)) placeBranch(child, row + 1);
  };
  placeBranch(nodes[0], 0);
  const places = new Map(nodes.map((node) => [node.id, { x: EDGE + node.depth * ACROSS, y: EDGE + rows.get(node.id) * DOWN }]));
  return { places, height: 2 * EDGE + Math.max(...rows.values()) * DOWN + BOX.height };
}

function edge(from, to, fate) {
  const [x, y, end] = [from.x + BOX.width, from.y + BOX.height / 2, to.y + BOX.height / 2];
  const bend = (x + to.x) / 2;
  return makeSvg("path", { class: `edge ${fate.replace(" ", "-")}`, d: `M${x} ${y} C${bend} ${y} ${bend} ${end} ${to.x} ${end}` });
}

const nameOf = (node) => (node.parent === null ? "start" : visible(node.token));

function box(node, { x, y }) {
  const [sign, fate] = FATES[node.fate];
  const name = nameOf(node);
  const label = `${name}, score ${decimal(node.score)}, symbol ${decimal(node.log_prob)}, ${fate}`;
  return makeSvg(
    "g",
    { class: `node ${node.fate.replace(" ", "-")}`, transform: `translate(${x} ${y})`, tabindex: node.parent === null ? 0 : -1, role: "treeitem", "aria-label": label, "aria-level": node.depth + 1 },
    makeSvg("title", {}, label),
    makeSvg("rect", { width: BOX.width, height: BOX.height, rx: 4 }),
    makeSvg("text", { x: 7, y: 13 }, short(name, LETTERS)),
    makeSvg("text", { x: 7, y: 25, class: "score" }, `${sign} ${decimal(node.score)}`),
  );
}

// Arrow keys: right to the first child, left to the parent, up and down to the next in height.
function listenToKeys(drawing, nodes, children, boxes, reading, places) {
  const byHeight = [...nodes].sort((a, b) => places.get(a.id).y - places.get(b.id).y || a.depth - b.depth);
  const beside = (node, step) => {
    const column = byHeight.filter((one) => one.depth === node.depth);
    return column[column.indexOf(node) + step];
  };
  const show = (node) => {
    reading.textContent = boxes.get(node.id).getAttribute("aria-label");
    const path = new Set();
    for (let at = node; at; at = nodes.find((one) => one.id === at.parent)) path.add(at.id);
    for (const [id, element] of boxes) element.classList.toggle("on-path", path.has(id));
  };
  for (const node of nodes) {
    const element = boxes.get(node.id);
    element.addEventListener("focus", () => show(node));
    element.addEventListener("pointerenter", () => show(node));
    element.addEventListener("click", () => element.focus());
    element.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: () => children.get(node.id)[0], ArrowLeft: () => nodes.find((one) => one.id === node.parent), ArrowUp: () => beside(node, -1), ArrowDown: () => beside(node, 1) };
      if (!Object.hasOwn(moves, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      const there = moves[event.key]();
      if (!there) return;
      element.setAttribute("tabindex", -1);
      boxes.get(there.id).setAttribute("tabindex", 0);
      boxes.get(there.id).focus();
    });
  }
}

const fateList = () => make("p", { class: "fates" }, Object.values(FATES).map(([sign, words]) => make("span", {}, make("b", {}, sign), ` ${words}`)));

export function beamTree({ nodes, width }) {
  const children = childrenOf(nodes);
  const { places, height } = layout(nodes, children);
  const depth = Math.max(...nodes.map((node) => node.depth));
  const total = 2 * EDGE + depth * ACROSS + BOX.width;
  const boxes = new Map(nodes.map((node) => [node.id, box(node, places.get(node.id))]));
  const edges = nodes.filter((node) => node.parent !== null).map((node) => edge(places.get(node.parent), places.get(node.id), node.fate));
  const drawing = makeSvg("svg", { viewBox: `0 0 ${total} ${height}`, width: total, height, role: "tree", "aria-label": `Tree of ${count(nodes.length, "hypothesis", "hypotheses")}` }, edges, [...boxes.values()]);
  const reading = make("p", { class: "reading", role: "status" }, "Point at a box, or walk by arrow keys.");
  listenToKeys(drawing, nodes, children, boxes, reading, places);
  return make("div", {}, make("p", { class: "caption" }, `width ${width}: at most so many beginnings live at a step`), fateList(), make("div", { class: "tree scroll" }, drawing), reading);
}
