// Greedy and beam search over one source, with the scores and the length penalty of Python's.
//
// Both ask `model.step(tokens, state)` for {scores: one Float32Array a row, weights, state} and call
// `heard(symbols)` after each position with the best output so far.

// What a row of scores exceeds log-probabilities by.
function logNormalizer(row, isNormalized) {
  if (isNormalized) return 0;
  let largest = -Infinity;
  for (const score of row) if (score > largest) largest = score;
  let total = 0;
  for (const score of row) total += Math.exp(score - largest);
  return Math.fround(largest + Math.log(total));
}

const logProb = (row, symbol, normalizer) => Math.fround(row[symbol] - normalizer);

// What the log-probability of an output of `length` symbols is divided by.
function lengthPenalty({ length_penalty: kind, alpha }, length) {
  if (kind === "none") return 1;
  return (kind === "average" ? length : (5 + length) / 6) ** alpha;
}

// Rules for outputs: (row of scores, symbols so far) -> forbids by -Infinity, in place.
const ends = (symbols, others) => others.every((one, at) => symbols[symbols.length - others.length + at] === one);
const RULES = {
  no_unk: () => (row) => { row[UNK] = -Infinity; },
  banned: ({ sequences }) => (row, symbols) => {
    for (const sequence of sequences) {
      const begun = sequence.slice(0, -1);
      if (begun.length <= symbols.length && ends(symbols, begun)) row[sequence.at(-1)] = -Infinity;
    }
  },
  no_repeat_ngram: ({ size }) => (row, symbols) => {
    if (symbols.length < size) return;
    const last = symbols.slice(symbols.length - size + 1);
    for (let at = 0; at + size <= symbols.length; at += 1) {
      if (last.every((one, place) => symbols[at + place] === one)) row[symbols[at + size - 1]] = -Infinity;
    }
  },
  forced_prefix: ({ prefix }) => (row, symbols) => {
    if (symbols.length >= prefix.length) return;
    const symbol = prefix[symbols.length];
    const score = row[symbol];
    row.fill(-Infinity);
    row[symbol] = score;
  },
  // Comes last: where nothing but eos is left, it stays allowed.
  min_length: ({ least }) => (row, symbols) => {
    if (symbols.length < least && row.some((score, symbol) => symbol !== EOS && score > -Infinity)) row[EOS] = -Infinity;
  },
};

const apply = (rules, row, symbols) => rules.forEach((rule) => rule(row, symbols));

// An output that grows; one symbol with where the attention looked as it was written.
const root = { symbols: [], weights: [], score: 0 };
const grown = (parent, symbol, weights, score) => ({
  symbols: [...parent.symbols, symbol],
  weights: weights ? [...parent.weights, weights] : parent.weights,
  score,
});

async function greedySearch(model, state, { rules, maxLength, heard }) {
  let output = root;
  while (output.symbols.length < maxLength && output.symbols.at(-1) !== EOS) {
    const step = await model.step([output.symbols.at(-1) ?? BOS], state);
    const [row] = step.scores;
    const normalizer = logNormalizer(row, model.isNormalized);
    apply(rules, row, output.symbols);
    let best = 0;
    for (let symbol = 1; symbol < row.length; symbol += 1) if (row[symbol] > row[best]) best = symbol;
    const score = output.score + logProb(row, best, normalizer);
    output = grown(output, score > -Infinity ? best : EOS, step.weights?.[0], score);
    state = step.state;
    await heard(output.symbols);
  }
  return [output];
}

// The `count` best extensions of the open prefixes, the best first.
function extensions(open, { scores, weights }, normalizers, count) {
  const best = [];
  scores.forEach((row, parent) => {
    for (let symbol = 0; symbol < row.length; symbol += 1) {
      const score = Math.fround(open[parent].score + logProb(row, symbol, normalizers[parent]));
      if (score === -Infinity || (best.length === count && score <= best[count - 1].score)) continue;
      let place = best.length;
      while (place && best[place - 1].score < score) place -= 1;
      best.splice(place, 0, { parent, symbol, score });
      best.length = Math.min(best.length, count);
    }
  });
  return best.map((one) => ({ ...one, output: grown(open[one.parent], one.symbol, weights?.[one.parent], one.score) }));
}

async function beamSearch(model, state, options) {
  const { width, stop, rules, maxLength, heard } = options;
  let open = [root];
  let pool = []; // finished outputs with their scores after the penalty, the best first
  for (let length = 1; length <= maxLength && open.length; length += 1) {
    const step = await model.step(open.map(({ symbols }) => symbols.at(-1) ?? BOS), state);
    const normalizers = step.scores.map((row) => logNormalizer(row, model.isNormalized));
    step.scores.forEach((row, at) => apply(rules, row, open[at].symbols));
    const best = extensions(open, step, normalizers, 2 * width);
    const penalty = lengthPenalty(options, length);
    const ranked = (score, by = penalty) => Math.fround(score / Math.fround(by));
    const final = best.slice(0, width).filter(({ symbol }) => symbol === EOS || length === maxLength);
    pool = [...pool, ...final.map(({ output, score }) => ({ ...output, score: ranked(score) }))];
    pool = pool.sort((one, other) => other.score - one.score).slice(0, width);
    const going = best.filter(({ symbol }) => symbol !== EOS).slice(0, width);
    open = going.map(({ output }) => output);
    if (!open.length) break;
    const most = Math.max(lengthPenalty(options, length + 1), lengthPenalty(options, maxLength));
    const needed = { full: -Infinity, attainable: ranked(open[0].score, most) }[stop] ?? ranked(open[0].score);
    if ((stop === "best" ? pool[0] : pool[width - 1])?.score >= needed) break;
    state = model.reorder(step.state, going.map(({ parent }) => parent));
    await heard((pool[0]?.score > ranked(open[0].score) ? pool[0] : open[0]).symbols);
  }
  return pool.length ? pool : [{ symbols: [EOS], weights: [], score: -Infinity }];
}

const SEARCHES = { greedy: greedySearch, beam: beamSearch };
