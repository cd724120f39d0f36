// Runs that differ by their seed alone, as one row with means and deviations.
function mean(list) {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

// The standard deviation of a sample, with n - 1; null of fewer than two values.
function deviation(list) {
  if (list.length < 2) return null;
  const centre = mean(list);
  return Math.sqrt(list.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (list.length - 1));
}

function meanRows() {
  const groups = new Map();
  for (const run of runs) {
    const key = JSON.stringify([run.set, run.recipe, run.excluded]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((members) => (members.length === 1 ? members[0] : meanRow(members)));
}

function meanRow(members) {
  const [first] = members;
  const metrics = Object.create(null);
  const spread = Object.create(null);
  for (const name of modes.keys()) {
    const values = members.filter((run) => has(run, name)).map((run) => run.metrics[name]);
    if (!values.length) continue;
    metrics[name] = mean(values);
    spread[name] = { deviation: deviation(values), count: values.length };
  }
  const average = (key) => {
    const values = members.map((run) => run[key]).filter((value) => value !== null);
    return values.length ? mean(values) : null;
  };
  return {
    ...first,
    name: `${first.name} and ${members.length - 1} more`,
    members,
    state: summedStates(members),
    metrics,
    spread,
    intervals: {},
    steps: average("steps"),
    epochs: average("epochs"),
    seconds: average("seconds"),
    map: members.find((run) => run.map)?.map ?? null,
  };
}

function summedStates(members) {
  const states = data.states.map((state) => [members.filter((run) => run.state === state).length, state]);
  const present = states.filter(([count]) => count);
  return present.length === 1 ? present[0][1] : present.map(([count, state]) => `${count} ${state}`).join(", ");
}

// A curve between its points; before the first it begins at the origin, behind the last it goes on evenly.
function between([xs, ys], x) {
  const next = xs.findIndex((one) => one >= x);
  const last = xs.length - 1;
  if (next < 0) return ys[last] * (xs[last] ? x / xs[last] : 1);
  if (xs[next] === x) return ys[next];
  const [x0, y0] = next ? [xs[next - 1], ys[next - 1]] : [0, 0];
  return y0 + ((ys[next] - y0) * (x - x0)) / (xs[next] - x0);
}

// The mean of the members' curves and their deviation, at steps that all of them have reached.
function meanCurve(members, name) {
  const curves = members.map((run) => own(run.curves, name)).filter((curve) => curve !== undefined);
  if (curves.length < 2) return { curve: curves[0], deviations: null };
  const first = Math.max(...curves.map(([xs]) => xs[0]));
  const last = Math.min(...curves.map(([xs]) => xs.at(-1)));
  const steps = [...new Set(curves.flatMap(([xs]) => xs))].filter((x) => x >= first && x <= last).sort((a, b) => a - b);
  const values = steps.map((step) => curves.map((curve) => between(curve, step)));
  return { curve: [steps, values.map(mean)], deviations: values.map(deviation) };
}
