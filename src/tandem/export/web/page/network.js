// The network as three graphs: encoder, start and step (see "ONNX" in docs/guides/export.md).

// A gzipped and Base64-coded element of this page -> bytes; the element is dropped.
async function unpacked(id) {
  const element = document.getElementById(id);
  const text = element.textContent;
  element.remove();
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Rows of a tensor, one after the other.
function rowsOf({ data, dims: [count] }) {
  const size = data.length / count;
  return Array.from({ length: count }, (_, row) => data.subarray(row * size, (row + 1) * size));
}

function gathered(tensor, rows) {
  const size = tensor.data.length / tensor.dims[0];
  const data = new tensor.data.constructor(rows.length * size);
  rows.forEach((row, place) => data.set(tensor.data.subarray(row * size, (row + 1) * size), place * size));
  return new ort.Tensor(tensor.type, data, [rows.length, ...tensor.dims.slice(1)]);
}

class Network {
  // description: the key `export` of the exported model's config.
  static async load(description) {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = await unpacked("engine");
    const network = new Network();
    network.isNormalized = description.scores === "log_probs";
    network.ofHypotheses = description.state.filter(({ rows }) => rows === "hypotheses").map(({ name }) => name);
    network.graphs = {};
    for (const name of ["encoder", "start", "step"]) {
      network.graphs[name] = await ort.InferenceSession.create(await unpacked(name));
    }
    return network;
  }

  // A source and its mask -> the state before the first symbol.
  async read(tensors) {
    return { tensors: await this.run("start", await this.run("encoder", tensors)), position: 0 };
  }

  // The last symbols of the open outputs and their state -> scores of the next ones.
  async step(tokens, { tensors, position }) {
    const feeds = { ...tensors, tokens: int64(tokens, [tokens.length]), position: int64([position], []) };
    const found = await this.run("step", feeds);
    const next = { ...tensors };
    for (const name of Object.keys(tensors)) next[name] = found[`next_${name}`] ?? tensors[name];
    return {
      scores: rowsOf(found.scores),
      weights: found.weights ? rowsOf(found.weights) : null,
      state: { tensors: next, position: position + 1 },
    };
  }

  reorder({ tensors, position }, rows) {
    const next = { ...tensors };
    for (const name of this.ofHypotheses) next[name] = gathered(tensors[name], rows);
    return { tensors: next, position };
  }

  // A graph's inputs are among the named tensors.
  run(name, tensors) {
    const graph = this.graphs[name];
    return graph.run(Object.fromEntries(graph.inputNames.map((input) => [input, tensors[input]])));
  }
}
