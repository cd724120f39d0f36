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

const sourceTokenizer = new Tokenizer(data.source_tokenizer ?? data.target_tokenizer, data.left_alone);
const targetTokenizer = new Tokenizer(data.target_tokenizer);
const rules = data.rules.map((rule) => RULES[rule.kind](rule));
let network = null;

// A text -> its ids as the encoder gets them; raises an Error for one without symbols.
function read(text) {
  const { ids, unknown } = sourceTokenizer.encode(text);
  if (!ids.length) throw new Error("The source has no symbols; type some text.");
  const { truncate, before, after } = data.reader;
  const kept = truncate === null ? ids : ids.slice(0, truncate);
  return { ids: [before, ...kept, after].filter((id) => id !== null), unknown, cut: kept.length < ids.length };
}

// The outputs for a text, the best first.
async function generate(text, options = data.search, heard = async () => {}) {
  const { ids, unknown, cut } = read(text);
  const state = await network.read(ids);
  const search = { ...data.search, ...options, rules, maxLength: data.max_length, heard };
  const outputs = await SEARCHES[search.kind](network, state, search);
  return {
    outputs: outputs.map(({ symbols, weights, score }) => ({
      text: targetTokenizer.decode(symbols), tokens: symbols, score, weights,
    })),
    source: ids, unknown, cut,
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
  const text = byId("source").value;
  byId("failure").hidden = true;
  try {
    read(text);
  } catch (error) {
    say(error.message, true);
    return;
  }
  for (const id of ["others", "looks"]) byId(id).hidden = true;
  byId("answer").hidden = false;
  byId("output").textContent = "";
  byId("score").textContent = "";
  byId("reference").hidden = reference === null;
  byId("reference").textContent = `Reference: ${reference}`;
  say("Writing …");
  const began = performance.now();
  let painted = began;
  try {
    const answer = await generate(text, chosenSearch(), async (symbols) => {
      byId("output").textContent = targetTokenizer.decode(symbols);
      if (performance.now() - painted < PAINT_EVERY) return;
      await pause(request);
      painted = performance.now();
    });
    if (request === newest) show(answer, (performance.now() - began) / 1000);
  } catch (error) {
    if (error !== "old") throw error;
  }
}

function show({ outputs, source, unknown, cut }, seconds) {
  const [best] = outputs;
  byId("output").textContent = best.text;
  byId("score").textContent = `Score ${best.score.toFixed(4)} · ${best.tokens.length} symbols · ${seconds.toFixed(2)} s`;
  const doubts = [];
  if (unknown.length) doubts.push(`The model's vocabulary lacks: ${unknown.join(" ")}`);
  if (cut) doubts.push(`Only the first ${data.reader.truncate} symbols of the source were read.`);
  say(doubts.join(" · "), true);
  byId("others").hidden = outputs.length < 2;
  byId("best").replaceChildren(
    make("tr", {}, make("th", { class: "number" }, "Score"), make("th", {}, "Output")),
    ...outputs.map(({ text, score }) => make(
      "tr", {}, make("td", { class: "number" }, score.toFixed(4)), make("td", { class: "text" }, text),
    )),
  );
  byId("looks").hidden = !best.weights.length;
  showAttention(best, source);
}

function showAttention({ tokens, weights }, source) {
  if (!weights.length) return;
  const isPerSymbol = weights[0].length === source.length;
  const labels = Array.from(weights[0], (_, at) => (isPerSymbol ? sourceTokenizer.token(source[at]) : `${at + 1}`));
  const head = make("thead", {}, make("tr", {}, make("th"), ...labels.map((label) => make("th", { scope: "col" }, label))));
  const rows = tokens.map((token, at) => make(
    "tr", {}, make("th", { scope: "row" }, targetTokenizer.token(token)), ...Array.from(weights[at], cell),
  ));
  byId("attention").replaceChildren(head, make("tbody", {}, ...rows));
}

function cell(weight) {
  const element = make("td", {}, weight.toFixed(2));
  element.style.setProperty("--weight", weight);
  return element;
}

function showExamples() {
  byId("examples").hidden = !data.examples.length;
  byId("examples-list").append(...data.examples.map(({ source, reference }) => {
    const button = make("button", { type: "button", title: source }, source);
    button.addEventListener("click", () => {
      byId("source").value = source;
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
  byId("source").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId("form").requestSubmit(byId("write"));
  });
  for (const id of ["search", "penalty"]) byId(id).addEventListener("change", showControls);
}

async function start() {
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
  byId("source").focus();
}

globalThis.tandem = { generate, ready: start() }; // for the browser's console
