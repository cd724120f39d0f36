// Text to ids and back, as Python's Tokenizer does it, from the JSON text that it writes.
const SPECIAL_TOKENS = ["<pad>", "<bos>", "<eos>", "<unk>"];
const [PAD, BOS, EOS, UNK] = [0, 1, 2, 3];
const UNKNOWN_PENALTY = 10; // how far an unknown character is below the least probable piece
const WORDS = /[^\p{White_Space}]+/gu;
const WORDS_OR_BLANKS = / ?[^\p{White_Space}]+|\p{White_Space}+(?= [^\p{White_Space}])|\p{White_Space}+/gu;
const VISIBLE = { " ": "▁", "\n": "↵", "\t": "⇥" };
const utf8 = new TextEncoder();

const byteName = (byte) => byte.toString(16).toUpperCase().padStart(2, "0");
const characters = (text) => Array.from(text);

// Runs of characters [first, last] -> a pattern that splits a text at each of them and keeps it.
function splitter(runs) {
  const point = (code) => `\\u{${code.toString(16)}}`;
  return new RegExp(`([${runs.map(([first, last]) => `${point(first)}-${point(last)}`).join("")}])`, "u");
}

const NORMALIZERS = {
  // One character after the other, so that no letter depends on its neighbours.
  Lowercase: (text) => characters(text).map((one) => one.toLowerCase()).join(""),
  Prepend: (text, { prepend }) => (text ? prepend + text : text),
};

const SPELLINGS = {
  words: (text) => text.match(WORDS) ?? [],
  word_pieces: (text) => (text.match(WORDS) ?? []).map((word) => ` ${word}`),
  pieces: (text) => text.match(WORDS_OR_BLANKS) ?? [],
  characters,
};

// Each model: the tokenizer, a word -> ids; an unknown part is [UNK, its text].
const MODELS = {
  WordLevel: (tokenizer, word) => [tokenizer.ids.get(word) ?? [UNK, word]],

  WordPiece(tokenizer, word) {
    const letters = characters(word);
    if (letters.length > tokenizer.model.max_input_chars_per_word) return [[UNK, word]];
    const ids = [];
    for (let start = 0; start < letters.length;) {
      let end = Math.min(letters.length, start + tokenizer.longest);
      while (end > start && !tokenizer.ids.has(letters.slice(start, end).join(""))) end -= 1;
      if (end === start) return [[UNK, word]];
      ids.push(tokenizer.ids.get(letters.slice(start, end).join("")));
      start = end;
    }
    return ids;
  },

  BPE(tokenizer, word) {
    const pieces = characters(word).map((one) => ({ text: one, id: tokenizer.ids.get(one) ?? UNK }));
    const rank = (at) => {
      const [left, right] = [pieces[at], pieces[at + 1]];
      return left.id === UNK || right.id === UNK ? undefined : tokenizer.merges.get(`${left.id} ${right.id}`);
    };
    for (;;) {
      let best = Infinity;
      let place = -1;
      for (let at = 0; at + 1 < pieces.length; at += 1) {
        const merge = rank(at);
        if (merge < best) [best, place] = [merge, at];
      }
      if (place < 0) break;
      const text = pieces[place].text + pieces[place + 1].text;
      pieces.splice(place, 2, { text, id: tokenizer.ids.get(text) });
    }
    return pieces.map(({ text, id }) => (id === UNK ? [UNK, text] : id));
  },

  // The most probable cut (Viterbi); neighbouring unknown characters are one part.
  Unigram(tokenizer, word) {
    const letters = characters(word);
    const best = [{ score: 0 }];
    for (let start = 0; start < letters.length; start += 1) {
      const before = best[start].score;
      const offer = (end, id, score) => {
        if (!best[end] || before + score > best[end].score) best[end] = { score: before + score, start, id };
      };
      for (let end = start + 1; end <= Math.min(letters.length, start + tokenizer.longest); end += 1) {
        const id = tokenizer.ids.get(letters.slice(start, end).join(""));
        if (id !== undefined) offer(end, id, tokenizer.scores[id]);
      }
      if (!tokenizer.ids.has(letters[start])) offer(start + 1, UNK, tokenizer.unknownScore);
    }
    const parts = [];
    for (let end = letters.length; end > 0; end = best[end].start) {
      const { start, id } = best[end];
      const text = letters.slice(start, end).join("");
      if (id !== UNK) parts.unshift(id);
      else if (Array.isArray(parts[0])) parts[0] = [UNK, text + parts[0][1]];
      else parts.unshift([UNK, text]);
    }
    return parts;
  },
};

class Tokenizer {
  // record: the parsed JSON; leftAlone: for each form of Unicode normalisation runs of characters
  // that Python's library does not know, and so leaves as they are.
  constructor(record, leftAlone = {}) {
    const { normalizer, model } = record.tokenizer;
    this.spelling = record.spelling;
    this.normalizers = normalizer.normalizers;
    this.model = model;
    this.alone = Object.fromEntries(Object.entries(leftAlone).map(([form, runs]) => [form, splitter(runs)]));
    this.known = new Map(); // a word -> its parts
    if (model.type === "Unigram") {
      this.symbols = model.vocab.map(([piece]) => piece);
      this.scores = model.vocab.map(([, score]) => score);
      this.unknownScore = this.scores.reduce((one, other) => Math.min(one, other)) - UNKNOWN_PENALTY;
    } else {
      this.symbols = [];
      for (const [piece, id] of Object.entries(model.vocab)) this.symbols[id] = piece;
    }
    this.ids = new Map(this.symbols.map((piece, id) => [piece, id]));
    this.longest = this.symbols.reduce((most, piece) => Math.max(most, piece.length), 0);
    if (model.type === "BPE") {
      const pair = ([left, right], rank) => [`${this.ids.get(left)} ${this.ids.get(right)}`, rank];
      this.merges = new Map(model.merges.map(pair));
    }
    const byteIds = Array.from({ length: 256 }, (_, byte) => this.ids.get(` <0x${byteName(byte)}> `));
    this.byteIds = this.spelling === "pieces" && !byteIds.includes(undefined) ? byteIds : null;
    this.bytes = new Map(this.byteIds?.map((id, byte) => [id, byte]));
  }

  normalize(text) {
    const form = (done, name) => done.split(this.alone[name]).map((part, at) => (at % 2 ? part : part.normalize(name))).join("");
    const step = (done, part) => NORMALIZERS[part.type]?.(done, part) ?? form(done, part.type);
    return this.normalizers.reduce(step, text);
  }

  // -> ids without special ones at the ends, and the parts of the text that the vocabulary lacks.
  encode(text) {
    const normal = this.normalize(text);
    if (this.spelling === "bytes") {
      return { ids: Array.from(utf8.encode(normal), (byte) => byte + SPECIAL_TOKENS.length), unknown: [] };
    }
    const ids = [];
    const unknown = new Set();
    for (const word of SPELLINGS[this.spelling](normal)) {
      if (!this.known.has(word)) this.known.set(word, MODELS[this.model.type](this, word));
      for (const part of this.known.get(word)) {
        if (!Array.isArray(part)) {
          ids.push(part);
          continue;
        }
        unknown.add(part[1].trim());
        ids.push(...(this.byteIds ? Array.from(utf8.encode(part[1]), (byte) => this.byteIds[byte]) : [UNK]));
      }
    }
    return { ids, unknown: [...unknown].filter(Boolean) };
  }

  // The text up to the first eos.
  decode(ids) {
    const end = ids.indexOf(EOS);
    const content = (end < 0 ? ids : ids.slice(0, end)).filter((id) => id !== PAD && id !== BOS);
    const bytes = content.flatMap((id) => this.written(id));
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
    return ["bytes", "characters"].includes(this.spelling) ? text : text.replace(/^ /, "");
  }

  // The bytes that an id adds to a text.
  written(id) {
    if (id < SPECIAL_TOKENS.length) {
      const isWord = id === UNK && ["words", "word_pieces"].includes(this.spelling);
      return Array.from(utf8.encode((isWord ? " " : "") + SPECIAL_TOKENS[id]));
    }
    if (this.spelling === "bytes") return [id - SPECIAL_TOKENS.length];
    if (this.bytes.has(id)) return [this.bytes.get(id)];
    return Array.from(utf8.encode((this.spelling === "words" ? " " : "") + this.symbols[id]));
  }

  // What to write on a symbol in a table.
  token(id) {
    if (id < SPECIAL_TOKENS.length) return SPECIAL_TOKENS[id];
    if (this.bytes.has(id)) return this.symbols[id].trim();
    if (this.spelling === "bytes") {
      const byte = id - SPECIAL_TOKENS.length;
      if (byte < 0x20 || byte >= 0x7f) return byteName(byte);
      return VISIBLE[String.fromCharCode(byte)] ?? String.fromCharCode(byte);
    }
    return this.symbols[id].replace(/[ \n\t]/g, (blank) => VISIBLE[blank]);
  }
}
