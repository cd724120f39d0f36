// The page on which models are tried.
import { generate, getModels, stream } from "./api.js";
import { byId, decimal, make } from "./dom.js";
import { Examples } from "./examples.js";
import { address, handedOver, keepSource } from "./handover.js";
import { modelChoice } from "./model_choice.js";
import { searchOptions } from "./search_options.js";
import { SourceInput } from "./source_input.js";
import { listenToTheme } from "./theme.js";

let models = [];
let search = null;
let running = null;
let asked = ""; // the source that is being answered
let reference = null; // { value, text }: of the example that was chosen last

const fail = (sentence) => {
  byId("failure").textContent = sentence;
  byId("failure").hidden = !sentence;
};

const input = new SourceInput(byId("source"), { onChange: showLinks, onError: fail, onSubmit: () => byId("form").requestSubmit() });
const examples = new Examples(byId("examples"), (example) => {
  input.set(example);
  reference = { value: example.value, text: example.reference };
  byId("form").requestSubmit();
});

function showLinks() {
  const model = models[0]?.name;
  if (!model) return;
  byId("to-look").href = address("look", model, input.source);
}

function keepBeforeLeaving() {
  if (input.source && !keepSource(input.source)) fail("The file is too large to be taken to the other page; choose it there again.");
}

// One sample or the greedy output can be shown while it is written.
function canStream({ search: name, options }) {
  return name === "greedy" || (name === "sampling" && (options.num_samples ?? 1) === 1);
}

// Hypotheses that a search keeps, which are all that it can show.
function widthOf({ search: name, options }) {
  const ranges = models[0].searches[name];
  return options.width ?? options.num_samples ?? ranges.width?.default ?? ranges.num_samples?.default ?? 1;
}

function showSearch() {
  const { search: name, options } = search?.read() ?? { search: models[0].default_search, options: {} };
  const one = canStream({ search: name, options });
  byId("stream").disabled = !one;
  byId("n-best").disabled = one;
}

function chooseModels(chosen) {
  const changed = chosen[0] !== models[0];
  models = chosen;
  input.setMedia(models[0].media);
  if (changed) search = searchOptions(byId("search"), models[0], showSearch);
  showSearch();
  examples.show(models[0]).catch((error) => fail(error.message));
  showLinks();
}

function outputItem({ text, score }) {
  const isExpected = reference?.value === asked && reference.text === text;
  const note = make("span", { class: "score", title: "The score by which search ranks: nearer to zero is more probable" }, decimal(score));
  const right = isExpected ? make("span", { class: "right" }, " ✓ as expected") : null;
  return make("li", {}, make("span", { class: "output" }, text || "(an empty output)"), " ", note, right);
}

function card(model) {
  const list = make("ol", { class: "hypotheses" });
  const status = make("p", { class: "quiet" }, "…");
  const look = make("a", { href: address("look", model.name, input.source) }, `Look inside`);
  look.setAttribute("aria-label", `Look inside ${model.name}`);
  look.addEventListener("click", keepBeforeLeaving);
  const element = make("article", { class: "card" }, make("h3", {}, model.name), list, status, look);
  return { element, list, status };
}

async function runModel(model, request, { list, status }) {
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(2)} s`;
  try {
    if (request.stream) {
      const output = make("span", { class: "output" });
      list.replaceChildren(make("li", {}, output));
      await stream({ ...request, model: model.name }, (event) => {
        if (event.done) list.replaceChildren(outputItem(event));
        else output.textContent = event.text;
      }, running.signal);
    } else {
      const { outputs } = await generate({ ...request, model: model.name }, running.signal);
      list.replaceChildren(...outputs[0].map(outputItem));
    }
    status.textContent = seconds();
  } catch (error) {
    status.textContent = error.name === "AbortError" ? "Stopped." : error.message;
    status.classList.toggle("wrong", error.name !== "AbortError");
  }
}

async function submit(event) {
  event.preventDefault();
  running?.abort();
  if (!input.source) return fail("There is no source yet; write a text, choose a file, or take an example.");
  if (!search.isValid()) return;
  fail("");
  running = new AbortController();
  const mine = running;
  asked = input.source.value;
  const chosen = search.read();
  const streams = canStream(chosen) && byId("stream").checked;
  const request = { sources: [asked], search: chosen.search, options: chosen.options };
  if (streams) request.stream = true;
  else if (!canStream(chosen)) request.n_best = Math.min(Number(byId("n-best").value) || 1, widthOf(chosen));
  const cards = models.map(card);
  byId("outputs").replaceChildren(...cards.map(({ element }) => element));
  byId("reference").hidden = reference?.value !== asked;
  byId("reference").textContent = `Expected: ${reference?.text}`;
  byId("stop").hidden = false;
  await Promise.all(models.map((model, place) => runModel(model, request, cards[place])));
  if (mine === running) byId("stop").hidden = true;
}

async function start() {
  listenToTheme(() => {});
  byId("form").addEventListener("submit", submit);
  byId("stop").addEventListener("click", () => running?.abort());
  byId("to-look").addEventListener("click", keepBeforeLeaving);
  try {
    const all = await getModels();
    const { model, source } = handedOver();
    modelChoice(byId("models"), all, model, chooseModels);
    if (source && source.media === models[0].media) input.set(source);
  } catch (error) {
    fail(error.message);
  }
}

start();
