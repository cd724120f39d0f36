// Shows openapi.json as a page: a section for each path, a table of what its body holds, an example.
const element = (name, text = "", ...children) => {
  const made = document.createElement(name);
  made.append(...(text ? [text] : []), ...children);
  return made;
};

const typeOf = (schema) => {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  return schema.type ?? "anything";
};

const EXAMPLES = {
  "/generate": { sources: ["walk twice"], search: "beam", options: { width: 5 }, n_best: 2 },
  "/score": { sources: ["walk twice"], targets: ["I_WALK I_WALK"] },
  "/inspect": { source: "walk twice" },
};

function keys(schema) {
  const table = element("table");
  const head = element("tr");
  for (const name of ["Key", "Type", "Default", "Meaning"]) head.append(element("th", name));
  table.append(head);
  for (const [name, one] of Object.entries(schema.properties)) {
    const needed = (schema.required ?? []).includes(name);
    const row = element("tr");
    row.append(element("td", "", element("code", name)), element("td", typeOf(one)));
    row.append(element("td", needed ? "needed" : JSON.stringify(one.default ?? null)));
    row.append(element("td", one.description ?? ""));
    table.append(row);
  }
  return table;
}

function example(path) {
  const url = new URL(path.slice(1), document.baseURI).href;
  const body = JSON.stringify(EXAMPLES[path]);
  return element("pre", "", element("code", `curl ${url} -H 'Content-Type: application/json' -d '${body}'`));
}

function section(path, method, operation) {
  const made = element("section");
  made.className = "path";
  const label = element("span", method.toUpperCase());
  label.className = "method";
  made.append(element("h2", "", label, path), element("p", `${operation.summary}.`));
  const schema = operation.requestBody?.content["application/json"].schema;
  if (schema) made.append(keys(schema), example(path));
  const answers = Object.entries(operation.responses).map(([status, one]) => `${status}: ${one.description}`);
  made.append(element("p", `Answers: ${answers.join("; ")}.`));
  return made;
}

async function show() {
  const description = await (await fetch("openapi.json")).json();
  const place = document.getElementById("paths");
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) place.append(section(path, method, operation));
  }
}

show().catch((error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `The description of the API cannot be read (${error.message}); load the page again.`;
  failure.hidden = false;
});
