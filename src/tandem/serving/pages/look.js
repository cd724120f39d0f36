// The page that looks inside a model: what is asked, and the road that is drawn of the answer.
import { getModels, inspect } from "./api.js";
import { byId, fillSelect, make, makeButton, visible } from "./dom.js";
import { Examples } from "./examples.js";
import { address, handedOver, keepSource } from "./handover.js";
import { drawRoad } from "./look/road.js";
import { searchOptions } from "./search_options.js";
import { SourceInput } from "./source_input.js";
import { listenToTheme } from "./theme.js";

const TREE = "beam"; // the search whose tree has most to show

let models = [];
let model = null;
let search = null;
let request = null; // what the shown record answers, without prefix
let choices = []; // made by hand: { prefix, step, text }, the last one is shown
let shown = null; // the view
let running = null;

const fail = (sentence) => {
  byId("failure").textContent = sentence;
  byId("failure").hidden = !sentence;
};

const input = new SourceInput(byId("source"), { onChange: keepForTry, onError: fail, onSubmit: () => byId("form").requestSubmit() });
const examples = new Examples(byId("examples"), (example) => {
  input.set(example);
  byId("examples-fold").open = false;
  byId("form").requestSubmit();
});

function keepForTry() {
  if (!model) return;
  if (input.source) keepSource(input.source);
  byId("to-try").href = address("./", model.name, input.source);
}

// So that the address, which may be sent to somebody, leads to what is shown.
const keepAddress = () => history.replaceState(null, "", address("look", model.name, input.source));

function chooseModel(name) {
  model = models.find((one) => one.name === name) ?? models[0];
  byId("model").value = model.name;
  input.setMedia(model.media);
  const treeSearch = TREE in model.searches ? TREE : model.default_search;
  search = searchOptions(byId("search"), { ...model, default_search: treeSearch }, () => (byId("search-name").textContent = search?.read().search ?? treeSearch));
  examples.show(model).catch((error) => fail(error.message));
  keepForTry();
}

function redraw() {
  if (!shown) return;
  const step = choices.at(-1)?.step ?? shown.step;
  shown = drawRoad(byId("road"), shown.record, { step, forced: choices.at(-1)?.prefix ?? [], goOn });
}

// Asks for the record and draws it; the step is where the view opens.
async function show(prefix, step) {
  running?.abort();
  running = new AbortController();
  byId("road").setAttribute("aria-busy", "true");
  try {
    const record = await inspect(prefix.length ? { ...request, prefix } : request, running.signal);
    fail("");
    byId("empty").hidden = true;
    shown = drawRoad(byId("road"), record, { step, forced: prefix, goOn });
    return true;
  } catch (error) {
    if (error.name !== "AbortError") fail(error.message);
    return false;
  } finally {
    byId("road").setAttribute("aria-busy", "false");
  }
}

async function submit(event) {
  event?.preventDefault();
  if (!input.source) return fail("There is no source yet; write a text, choose a file, or take an example.");
  if (!search.isValid()) return;
  keepAddress();
  request = { model: model.name, source: input.source.value, ...search.read() };
  choices = [];
  await show([], 0);
  showBranch();
}

async function goOn(prefix, step, candidate) {
  const instead = visible(shown.steps[step].token);
  const choice = { prefix, step, text: `Step ${step + 1}: you chose ${visible(candidate.token)} instead of ${instead}, and the model went on from there.` };
  choices.push(choice);
  if (!(await show(prefix, step))) choices.pop();
  showBranch();
  byId("step")?.focus({ preventScroll: true });
}

async function goBack(left) {
  const step = choices.at(-1).step;
  choices = choices.slice(0, left);
  await show(choices.at(-1)?.prefix ?? [], step);
  showBranch();
  byId("step")?.focus({ preventScroll: true });
}

function showBranch() {
  const place = byId("branch");
  place.hidden = !choices.length;
  if (place.hidden) return place.replaceChildren();
  const back = [makeButton("Back to the model's own way", {}, () => goBack(0))];
  if (choices.length > 1) back.unshift(makeButton("Undo this choice", {}, () => goBack(choices.length - 1)));
  place.replaceChildren(make("span", {}, choices.at(-1).text), ...back);
}

async function start() {
  listenToTheme(redraw);
  byId("form").addEventListener("submit", submit);
  addEventListener("hashchange", () => location.reload());
  byId("model").addEventListener("change", ({ target }) => chooseModel(target.value));
  try {
    models = await getModels();
    const { model: name, source } = handedOver();
    fillSelect(byId("model"), models.map((one) => one.name), name);
    chooseModel(name);
    if (source?.media !== model.media) return;
    input.set(source);
    await submit();
  } catch (error) {
    fail(error.message);
  }
}

start();
