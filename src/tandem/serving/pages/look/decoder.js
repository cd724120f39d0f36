// Station 5: the decoder, one symbol at a time.
import { decimal, make, makeButton, percent, visible } from "../dom.js";
import { isStill } from "../theme.js";
import { attended } from "./attention.js";
import { attentionMap } from "./attention_map.js";
import { lacksOf, remark, station } from "./station.js";
import { vectorStrip } from "./strip.js";
import { DECODER } from "./words.js";

const PARTIAL = ["decoder_attention_layers", "decoder_attention_window"]; // of which less than all is shown
const BEAT = 900; // milliseconds of a step when it plays

// Slider, buttons and arrow keys that choose the step.
function stepControls(view) {
  const slider = make("input", { type: "range", id: "step", min: 1, max: view.steps.length, step: 1, "aria-label": "Step of the decoder" });
  slider.addEventListener("input", () => view.setStep(Number(slider.value) - 1));
  const text = make("output", { for: "step", class: "step-text" });
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
  };
  const play = makeButton("▶ Play", { class: "play" }, () => {
    if (timer !== null) return stop();
    play.textContent = "❚❚ Pause";
    if (view.step === view.steps.length - 1) view.setStep(0);
    timer = setInterval(() => {
      if (!play.isConnected || view.step === view.steps.length - 1) return stop();
      view.setStep(view.step + 1);
    }, BEAT);
  });
  const back = makeButton("←", { "aria-label": "Step back" }, () => view.setStep(view.step - 1));
  const on = makeButton("→", { "aria-label": "Step on" }, () => view.setStep(view.step + 1));
  view.follow(["step"], () => {
    slider.value = view.step + 1;
    text.textContent = `step ${view.step + 1} of ${view.steps.length}`;
    slider.setAttribute("aria-valuetext", `${text.textContent}: ${visible(view.steps[view.step].token)}`);
    back.disabled = view.step === 0;
    on.disabled = view.step === view.steps.length - 1;
  });
  return make("div", { class: "steps" }, back, slider, on, play, text);
}

// The symbols that were written, as buttons to their steps.
function written(view, forced) {
  const chips = view.steps.map((step, place) =>
    makeButton(visible(step.token), { class: `chip${place < forced.length ? " forced" : ""}`, title: place < forced.length ? "You chose this beginning" : null }, () => view.setStep(place)),
  );
  const list = make("div", { class: "chips", role: "group", "aria-label": "Symbols of the output" }, chips);
  view.follow(["step"], () =>
    chips.forEach((chip, place) => {
      chip.classList.toggle("ahead", place > view.step);
      chip.setAttribute("aria-current", place === view.step ? "step" : "false");
      if (place === view.step && chip.isConnected) list.scrollTo({ left: chip.offsetLeft - list.clientWidth / 2, behavior: isStill() ? "auto" : "smooth" });
    }),
  );
  return list;
}

// What goes in and what the decoder makes of it.
function cell(view) {
  const box = make("div", { class: "cell-box" });
  view.follow(["step"], () => {
    const step = view.steps[view.step];
    const before = view.step ? visible(view.steps[view.step - 1].token) : "nothing yet";
    const features = step.features && vectorStrip(step.features, step.features.length, "State of the decoder").canvas;
    box.replaceChildren(
      make("p", { class: "quiet" }, "reads what it wrote last"),
      make("p", { class: "last" }, before),
      ...(features ? [make("p", { class: "quiet" }, "and makes its own list of numbers"), features] : []),
      make("p", { class: "quiet" }, `unsure by ${decimal(step.entropy)} nats (0: sure)`),
    );
  });
  return make("div", { class: "cell" }, make("h3", {}, "Decoder"), box);
}

// The five likeliest as bars and buttons; `goOn` gets the ids of a prefix.
function likeliest(view, goOn) {
  const list = make("ol", { class: "bars" });
  const rest = make("p", { class: "note" });
  view.follow(["step"], () => {
    const step = view.steps[view.step];
    const before = view.steps.slice(0, view.step).map((one) => one.id);
    list.replaceChildren(...step.likeliest.map((candidate) => likelyItem(candidate, candidate.id === step.id, () => goOn([...before, candidate.id], view.step, candidate))));
    const shown = step.likeliest.reduce((sum, candidate) => sum + candidate.probability, 0);
    const outside = step.likeliest.every((candidate) => candidate.id !== step.id);
    rest.textContent = `All other symbols together: ${percent(Math.max(0, 1 - shown))}.${outside ? ` Written was ${visible(step.token)}, which is none of these.` : ""}`;
  });
  return make("div", { class: "likeliest" }, make("h3", {}, "Likeliest next symbols"), list, rest);
}

function likelyItem(candidate, isChosen, choose) {
  const bar = make("span", { class: "bar" });
  bar.style.width = `${100 * candidate.probability}%`;
  const name = visible(candidate.token);
  const label = isChosen ? `${name}, ${percent(candidate.probability)}, written` : `${name}, ${percent(candidate.probability)}: go on with it`;
  const button = makeButton("", { class: "likely", "aria-label": label, "aria-pressed": String(isChosen) }, () => isChosen || choose());
  button.append(bar, make("span", { class: "token" }, name), make("span", { class: "share" }, `${isChosen ? "✓ " : ""}${percent(candidate.probability)}`));
  return make("li", {}, button);
}

// forced: the ids that were chosen by hand, which the output begins with.
export function decoderStation(view, forced, goOn) {
  const { kind, parts } = attended(view);
  const { model } = view.record;
  const scene = make("div", { class: `scene ${kind}` }, make("div", { class: "looked" }, parts), cell(view), likeliest(view, goOn));
  const box = station(
    { id: "station-decoder", number: 5, title: `Decoder: ${model.decoder}, one symbol at a time`, explanation: DECODER, kind: "decoder" },
    stepControls(view),
    written(view, forced),
    scene,
    attentionMap(view),
    PARTIAL.filter((part) => model.lacks[part]).map((part) => remark(model.lacks[part])),
    lacksOf(model, ["decoder_self_attention", "decoder_features"]),
  );
  box.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || event.target.matches("input")) return;
    event.preventDefault();
    view.setStep(view.step + move);
  });
  return box;
}
