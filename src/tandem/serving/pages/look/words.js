// The sentences for newcomers.
const SOURCES = {
  text: "The text is cut into tokens, the pieces that stand in the model's vocabulary. Point at one to follow it along the road.",
  image: "The picture as the model gets it. Each place of the grid is one position; positions are counted row by row.",
  audio: "The recording as a spectrogram: time runs down, high tones stand to the right, what is loud is bright. Each slice of time is one position.",
};

export const sourceWords = (media) => SOURCES[media];

export const EMBEDDINGS = "Each position becomes a list of numbers. A row is a position, a column one of its numbers: orange above zero, blue below.";

const ENCODERS = {
  transformer: "Every layer mixes the rows: each one looks at all others (self-attention) and takes from them what it needs. Lines show who looks at whom.",
  conformer: "Every layer mixes the rows: each one looks at all others (self-attention) and at its neighbours (convolution). Lines show who looks at whom.",
  cnn: "Every layer mixes each row with its neighbours (a convolution), so that higher layers see wider stretches of the source.",
};
const RECURRENT = "The rows are read one after another. A state is handed on from row to row (by a bidirectional encoder also upwards), so that each row tells of what was read before it.";

// transformer, conformer, cnn or recurrent: how an encoder mixes its rows, by its name.
export const familyOf = (encoder) => Object.keys(ENCODERS).find((family) => encoder.toLowerCase().includes(family)) ?? "recurrent";

export const encoderWords = (encoder) => ENCODERS[familyOf(encoder)] ?? RECURRENT;

export const contextWords = (isAll) =>
  isAll
    ? "The whole source must pass through this one list of numbers: a bottleneck. Attention was invented to get around it."
    : "One list of numbers sums the source up, and the decoder may start from it. The road stays open, too: by attention the decoder looks back at all rows.";

export const DECODER = "The decoder writes one symbol after another. From what it has written, and from the source, it gives every symbol of its vocabulary a probability. Choose another of the five likeliest, and the model goes on from there.";

export const OUTPUT = "The symbols together are the output. The score is made of the logarithms of their probabilities: the nearer to zero, the surer.";

export const BEAM = "Search does not stake everything on one symbol: it keeps several beginnings and lets each go on. Beginnings whose score falls behind die. Boxes hold a symbol and the sum of log-probabilities so far; to rank outputs, search may divide that by their length.";
