// The source: a text to type, or a file that is chosen, dropped, pasted or recorded.
import { decodedWav, startRecording } from "./audio.js";
import { make, makeButton } from "./dom.js";
import { fromBase64, kindOf, toBase64 } from "./files.js";

const READ_AS_IT_IS = ["audio/wav", "audio/flac", "audio/ogg", "audio/mpeg"];
const WORDS = {
  image: { one: "picture", accept: "image/*" },
  audio: { one: "recording", accept: "audio/*" },
};

// `onChange` is called when the source changes, `onError` gets a sentence, `onSubmit` comes of Ctrl+Enter.
export class SourceInput {
  constructor(place, { onChange = () => {}, onError = () => {}, onSubmit = () => {} }) {
    Object.assign(this, { place, onChange, onError, onSubmit });
    this.media = null;
    this.value = "";
    this.name = "";
    this.address = null;
    document.addEventListener("paste", (event) => this.paste(event));
  }

  // { media, value, name }, or null while there is nothing.
  get source() {
    return this.value === "" ? null : { media: this.media, value: this.value, name: this.name };
  }

  setMedia(media) {
    if (media === this.media) return;
    this.media = media;
    this.value = "";
    this.name = "";
    this.draw();
  }

  set({ media, value, name = "" }) {
    Object.assign(this, { media, value, name });
    this.draw();
    this.onChange();
  }

  draw() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    this.place.replaceChildren(...(this.media === "text" ? this.textField() : this.fileField()));
  }

  textField() {
    const area = make("textarea", { id: "source-text", rows: 3, spellcheck: "false", "aria-describedby": "source-help" });
    area.value = this.value;
    area.addEventListener("input", () => {
      this.value = area.value;
      this.onChange();
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.onSubmit();
    });
    return [make("label", { class: "wide" }, "Text", area), make("p", { class: "note", id: "source-help" }, "Ctrl+Enter sends it.")];
  }

  fileField() {
    const { one, accept } = WORDS[this.media];
    const input = make("input", { type: "file", accept, id: "source-file" });
    input.addEventListener("change", () => input.files[0] && this.read(input.files[0]));
    const drop = make("div", { class: "drop" }, make("label", {}, `Choose a ${one}, drop or paste it here`, input));
    if (this.media === "audio") drop.append(this.recordButton());
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      if (event.dataTransfer.files[0]) this.read(event.dataTransfer.files[0]);
    });
    if (this.value) drop.append(this.preview(one));
    return [drop];
  }

  recordButton() {
    let stop = null;
    const button = makeButton("● Record", { "aria-pressed": "false" }, async () => {
      button.disabled = true;
      try {
        if (stop === null) {
          stop = await startRecording();
          button.textContent = "■ Stop";
        } else {
          const finish = stop;
          stop = null;
          button.textContent = "● Record";
          await this.keep(await finish(), "recording.wav");
        }
        button.setAttribute("aria-pressed", String(stop !== null));
      } catch (error) {
        this.onError(error.message);
      } finally {
        button.disabled = false;
      }
    });
    return button;
  }

  preview(one) {
    this.address = URL.createObjectURL(fromBase64(this.value));
    const name = this.name || `the chosen ${one}`;
    const shown = this.media === "image"
      ? make("img", { src: this.address, alt: name })
      : make("audio", { src: this.address, controls: true, "aria-label": name });
    return make("figure", {}, shown, make("figcaption", {}, name));
  }

  async read(file) {
    try {
      const kind = kindOf(new Uint8Array(await file.slice(0, 8).arrayBuffer()));
      const decode = this.media === "audio" && !READ_AS_IT_IS.includes(kind);
      await this.keep(decode ? await decodedWav(file) : file, file.name);
    } catch (error) {
      this.onError(error.name === "EncodingError" ? "The browser cannot decode this file; choose a sound file." : error.message);
    }
  }

  async keep(blob, name) {
    this.set({ media: this.media, value: await toBase64(blob), name });
  }

  paste(event) {
    const file = event.clipboardData?.files[0];
    if (file && this.media !== "text" && file.type.startsWith(`${this.media}/`)) this.read(file);
  }
}
