// The models as check boxes, those of one kind of source at a time.
import { count, make } from "./dom.js";

const MEDIA = { text: "from text", image: "from pictures", audio: "from recordings" };

const parts = ({ encoder, attention, decoder, parameters }) =>
  `${encoder} → ${attention} → ${decoder}${parameters === null ? "" : `, ${count(parameters, "parameter")}`}`;

// `onChange` gets the chosen models, of which there is at least one.
export function modelChoice(place, models, chosen, onChange) {
  const boxes = new Map();
  const first = models.find((model) => model.name === chosen) ?? models[0];
  const list = () => models.filter((model) => boxes.get(model).checked);
  const listen = (model, box) => {
    box.addEventListener("change", () => {
      if (box.checked) {
        for (const [other, otherBox] of boxes) if (other.media !== model.media) otherBox.checked = false;
      } else if (!list().length) box.checked = true;
      onChange(list());
    });
  };
  for (const [media, title] of Object.entries(MEDIA)) {
    const group = models.filter((model) => model.media === media);
    if (!group.length) continue;
    place.append(make("p", { class: "media quiet" }, title));
    for (const model of group) {
      const box = make("input", { type: "checkbox", name: "model", value: model.name, checked: model === first });
      boxes.set(model, box);
      listen(model, box);
      place.append(make("label", { class: "check" }, box, make("span", {}, make("b", {}, model.name), " ", make("small", {}, parts(model)))));
    }
  }
  onChange(list());
}
