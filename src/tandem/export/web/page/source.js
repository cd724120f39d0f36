// Sources of each kind: what a person gives -> the encoder's inputs.
//
// `read` gives {tensors, labels: for so many positions of the encoder, doubts: what to tell}.

// Something that whoever uses the page can mend.
class Refusal extends Error {}

const fromBase64 = (text) => Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const int64 = (numbers, shape) => new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), shape);
const everything = (length) => new ort.Tensor("bool", new Uint8Array(length).fill(1), [1, length]);
const numbered = (count) => Array.from({ length: count }, (_, at) => `${at + 1}`);

class TextSource {
  constructor({ tokenizer, left_alone: leftAlone, ...frame }, targetTokenizer) {
    this.tokenizer = new Tokenizer(tokenizer ?? targetTokenizer, leftAlone);
    this.frame = frame;
  }

  async read(text) {
    const { ids, unknown } = this.tokenizer.encode(text);
    if (!ids.length) throw new Refusal("The source has no symbols; type some text.");
    const { truncate, before, after } = this.frame;
    const kept = truncate === null ? ids : ids.slice(0, truncate);
    const framed = [before, ...kept, after].filter((id) => id !== null);
    const doubts = [];
    if (unknown.length) doubts.push(`The model's vocabulary lacks: ${unknown.join(" ")}`);
    if (kept.length < ids.length) doubts.push(`Only the first ${truncate} symbols of the source were read.`);
    const labels = (count) => (count === framed.length ? framed.map((id) => this.tokenizer.token(id)) : numbered(count));
    return { tensors: { source: int64(framed, [1, framed.length]), source_mask: everything(framed.length) }, labels, doubts };
  }
}

class PictureSource {
  constructor(options) {
    this.options = options;
  }

  // A file, or its content in Base64.
  async read(file) {
    if (!file) throw new Refusal("There is no picture yet; choose one.");
    const blob = typeof file === "string" ? new Blob([fromBase64(file)]) : file;
    this.picture = fitted(await decoded(blob, this.options), this.options);
    const { data, width, height, channels } = this.picture;
    const rows = new ort.Tensor("float32", Float32Array.from(data), [1, height, width * channels]);
    return { tensors: { source: rows, source_mask: everything(height) }, labels: numbered, doubts: [] };
  }
}

const SOURCES = { text: TextSource, image: PictureSource };
