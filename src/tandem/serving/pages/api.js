// The server's interface; an error is the server's own sentence.
async function answer(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new Error(body?.error ?? `The server answered ${response.status} without a sentence; its log says more.`);
}

async function ask(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; look whether `tandem serve` still runs.");
  }
}

const post = (path, body, signal) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

export const getModels = async () => (await answer(await ask("models"))).models;

export const getExamples = async (model) =>
  (await answer(await ask(`models/${encodeURIComponent(model)}/examples`))).examples;

export const generate = async (request, signal) => answer(await post("generate", request, signal));

export const inspect = async (request, signal) => answer(await post("inspect", request, signal));

// Server-sent events of one request: `onEvent` gets each event's data, and the last has `done`.
export async function stream(request, onEvent, signal) {
  const response = await post("generate", { ...request, stream: true }, signal);
  if (!response.ok) await answer(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let ended = false;
  for (;;) {
    const { value, done } = await reader.read();
    const parts = (rest + (value ?? "").replace(/\r\n/g, "\n")).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const lines = part.split("\n").filter((line) => line.startsWith("data:"));
      if (!lines.length) continue;
      const event = JSON.parse(lines.map((line) => line.slice(5).trimStart()).join("\n"));
      if (event.error) throw new Error(event.error);
      ended ||= Boolean(event.done);
      onEvent(event);
    }
    if (done) break;
  }
  if (!ended) throw new Error("The server ended the stream before the output was whole; try again.");
}
