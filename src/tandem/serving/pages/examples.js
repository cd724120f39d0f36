// Examples of the test split, as buttons that choose them.
import { getExamples } from "./api.js";
import { make, makeButton, short } from "./dom.js";

const LETTERS = 90;

function exampleButton(example, media, choose) {
  const reference = make("span", { class: "quiet" }, short(example.reference, LETTERS));
  const content = {
    text: () => [make("span", {}, short(example.source, LETTERS)), reference],
    image: () => [make("img", { src: example.preview, alt: "" }), reference],
    audio: () => [make("span", {}, `♪ ${example.name}`), reference],
  }[media]();
  const button = makeButton("", { class: `example ${media}` }, () => choose(example));
  button.append(...content);
  return make("li", {}, button);
}

// Shows a model's examples in a list; `choose` gets { media, value, name, reference }.
export class Examples {
  constructor(place, choose) {
    Object.assign(this, { place, choose, model: null });
  }

  async show(model) {
    if (this.model === model.name) return;
    this.model = model.name;
    const examples = await getExamples(model.name);
    if (this.model !== model.name) return;
    const choose = ({ source, name, reference }) => this.choose({ media: model.media, value: source, name, reference });
    const items = examples.map((example) => exampleButton(example, model.media, choose));
    this.place.replaceChildren(
      items.length ? make("ul", { class: "examples" }, items) : make("p", { class: "quiet" }, "This model's run kept no examples."),
    );
  }
}
