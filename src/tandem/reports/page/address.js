// The address keeps the view behind its #, with runs by their names.
const AXES = { logX: "logx", logY: "logy" };

function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  const text = (key) => address.get(key) ?? "";
  const known = [EVERY_SET, ...data.sets.map((one) => one.id)];
  view.set = known.includes(text("set")) ? text("set") : (data.sets[0]?.id ?? EVERY_SET);
  const main = (data.sets.find((one) => one.id === view.set) ?? data.sets[0])?.main ?? "";
  view.metric = modes.has(text("metric")) ? text("metric") : main;
  view.filter = text("filter");
  view.columns = address.has("columns") ? text("columns").split(",").filter(Boolean) : null;
  view.seeds = text("seeds") === "mean";
  view.curve = text("curve");
  view.x = Object.hasOwn(CLOCKS, text("x")) ? text("x") : "step";
  for (const [key, name] of Object.entries(AXES)) view[key] = address.has(name);
  view.smoothing = Math.min(0.99, Math.max(0, Number(text("smoothing")) || 0));
  const sort = address.get("sort") ?? (modes.get(view.metric) === "max" ? "-" : "") + view.metric;
  view.descending = sort.startsWith("-");
  view.sort = sort.replace(/^-/, "");
  rows = view.seeds ? meanRows() : runs;
  const named = address.getAll("run");
  view.chosen = named.length || address.has("none")
    ? named.filter((id) => rowOf(id))
    : bestRows(rows.filter(isInSet), BEST).map((row) => row.id);
}

function writeAddress() {
  const address = new URLSearchParams({ set: view.set, metric: view.metric, sort: (view.descending ? "-" : "") + view.sort });
  if (view.filter) address.set("filter", view.filter);
  if (view.columns) address.set("columns", view.columns.join(","));
  if (view.seeds) address.set("seeds", "mean");
  if (view.curve) address.set("curve", view.curve);
  if (view.x !== "step") address.set("x", view.x);
  for (const [key, name] of Object.entries(AXES)) if (view[key]) address.set(name, "1");
  if (view.smoothing) address.set("smoothing", view.smoothing);
  for (const id of view.chosen) address.append("run", id);
  if (!view.chosen.length) address.set("none", "1");
  history.replaceState(null, "", `#${address}`);
}
