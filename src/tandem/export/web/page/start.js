// The page: reads the source, shows the output symbol by symbol, its score and the attention.
const data = JSON.parse(document.getElementById("data").textContent);
const PAINT_EVERY = 30; // milliseconds
const byId = (id) => document.getElementById(id);
let newest = 0; // number of the latest request; an older one stops

addEventListener("error", (event) => fail(event.message));
addEventListener("unhandledrejection", (event) => fail(event.reason?.message ?? event.reason));

function fail(message) {
  byId("failure").hidden = false;
  byId("failure").textContent = `This page has a fault: ${message}`;
}

// An element with children; text becomes a text node, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function say(text, isDoubt = false) {
  byId("state").textContent = text;
  byId("state").classList.toggle("doubt", isDoubt);
}

const tokenizer = new Tokenizer(data.target_tokenizer);
const source = new SOURCES[data.source.kind](data.source, data.target_tokenizer);
const rules = data.rules.map((rule) => RULES[rule.kind](rule));
let network = null;
let picture = null; // the file that was chosen last

// The outputs for a text or a picture's file, the best first.
async function generate(given, options = data.search, heard = async () => {}) {
  const { tensors, labels, doubts } = await source.read(given);
  const search = { ...data.search, ...options, rules, maxLength: data.max_length, heard };
  const outputs = await SEARCHES[search.kind](network, await network.read(tensors), search);
  return {
    outputs: outputs.map(({ symbols, weights, score }) => ({
      text: tokenizer.decode(symbols), tokens: symbols, score, weights,
    })),
    labels, doubts,
  };
}

function chosenSearch() {
  return {
    kind: byId("search").value,
    width: Number(byId("width").value),
    length_penalty: byId("penalty").value,
    alpha: Number(byId("alpha").value),
  };
}

function showControls() {
  const isBeam = byId("search").value === "beam";
  for (const one of document.querySelectorAll(".of-beam")) {
    one.hidden = !isBeam || (one.matches(".of-penalty") && byId("penalty").value === "none");
    one.querySelector("select, input").disabled = one.hidden; // a hidden one is not checked
  }
}

// Lets the browser draw, and raises "old" if a newer request has come.
async function pause(request) {
  await new Promise((resume) => setTimeout(resume));
  if (request !== newest) throw "old";
}

async function write(reference = null) {
  newest += 1;
  const request = newest;
  const given = data.source.kind === "text" ? byId("text").value : picture;
  byId("failure").hidden = true;
  const began = performance.now();
  let painted = began;
  try {
    await source.read(given); // refuses it before anything is cleared
    clear(reference);
    const answer = await generate(given, chosenSearch(), async (symbols) => {
      byId("output").textContent = tokenizer.decode(symbols);
      if (performance.now() - painted < PAINT_EVERY) return;
      await pause(request);
      painted = performance.now();
    });
    if (request === newest) show(answer, (performance.now() - began) / 1000);
  } catch (error) {
    if (error instanceof Refusal) say(error.message, true);
    else if (error !== "old") throw error;
  }
}

function clear(reference) {
  for (const id of ["others", "looks"]) byId(id).hidden = true;
  for (const id of ["output", "score"]) byId(id).textContent = "";
  byId("answer").hidden = false;
  byId("reference").hidden = reference === null;
  byId("reference").textContent = `Reference: ${reference}`;
  if (source.picture) drawn(byId("seen"), source.picture);
  say("Writing …");
}

function show({ outputs, labels, doubts }, seconds) {
  const [best] = outputs;
  byId("output").textContent = best.text;
  byId("score").textContent = `Score ${best.score.toFixed(4)} · ${best.tokens.length} symbols · ${seconds.toFixed(2)} s`;
  say(doubts.join(" · "), true);
  byId("others").hidden = outputs.length < 2;
  byId("best").replaceChildren(
    make("tr", {}, make("th", { class: "number" }, "Score"), make("th", {}, "Output")),
    ...outputs.map(({ text, score }) => make(
      "tr", {}, make("td", { class: "number" }, score.toFixed(4)), make("td", { class: "text" }, text),
    )),
  );
  byId("looks").hidden = !best.weights.length;
  if (!best.weights.length) return;
  if (data.source.kind === "text") showTable(best, labels(best.weights[0].length));
  else showMaps(best);
}

function showTable({ tokens, weights }, labels) {
  const head = make("thead", {}, make("tr", {}, make("th"), ...labels.map((label) => make("th", { scope: "col" }, label))));
  const rows = tokens.map((token, at) => make(
    "tr", {}, make("th", { scope: "row" }, tokenizer.token(token)), ...Array.from(weights[at], cell),
  ));
  byId("attention").replaceChildren(head, make("tbody", {}, ...rows));
}

// The picture once for each symbol, bright where the attention looked.
function showMaps({ tokens, weights }) {
  const [rows, columns] = data.source.grid;
  byId("maps").replaceChildren(...tokens.map((token, at) => {
    const [below, above] = [make("canvas"), make("canvas")];
    drawn(below, source.picture);
    Object.assign(above, { width: columns, height: rows });
    const veil = above.getContext("2d").createImageData(columns, rows);
    const most = Math.max(...weights[at]);
    weights[at].forEach((weight, place) => { veil.data.set([20, 24, 30, 220 * (1 - weight / most)], 4 * place); });
    above.getContext("2d").putImageData(veil, 0, 0);
    return make("figure", {}, make("div", {}, below, above), make("figcaption", {}, tokenizer.token(token)));
  }));
}

function cell(weight) {
  const element = make("td", {}, weight.toFixed(2));
  element.style.setProperty("--weight", weight);
  return element;
}

function showExamples() {
  byId("examples").hidden = !data.examples.length;
  byId("examples-list").append(...data.examples.map((example) => {
    const { source: given, reference } = example;
    const isText = data.source.kind === "text";
    const shown = isText ? given : make("img", { src: `data:image/jpeg;base64,${given}`, alt: reference });
    const button = make("button", { type: "button", title: isText ? given : reference }, shown);
    button.addEventListener("click", () => {
      if (isText) byId("text").value = given;
      else picture = given;
      write(reference);
    });
    return make("li", {}, button);
  }));
}

function listen() {
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    write();
  });
  byId("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("form").requestSubmit(byId("write"));
  });
  for (const id of ["search", "penalty"]) byId(id).addEventListener("change", showControls);
  if (data.source.kind === "image") listenToFiles();
}

function listenToFiles() {
  const take = (files) => {
    if (!files?.length || !network) return;
    [picture] = files;
    write();
  };
  byId("file").addEventListener("change", () => take(byId("file").files));
  addEventListener("paste", (event) => take(event.clipboardData?.files));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files);
  });
}

async function start() {
  for (const one of document.querySelectorAll(`.of-${data.source.kind}`)) one.hidden = false;
  byId("facts").textContent = data.facts.map(([name, value]) => `${name} ${value}`).join(" · ");
  byId("search").value = data.search.kind;
  byId("width").value = data.search.width;
  byId("penalty").value = data.search.length_penalty;
  byId("alpha").value = data.search.alpha;
  showControls();
  listen();
  network = await Network.load(data.export);
  showExamples();
  byId("write").disabled = false;
  say("");
  byId(data.source.kind === "text" ? "text" : "file").focus();
}

globalThis.tandem = { generate, ready: start() }; // for the browser's console
