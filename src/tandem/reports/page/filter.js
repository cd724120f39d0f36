// From the text of the filter to a test of rows.
const COMPARISONS = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  ">": (order) => order > 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
};

function matches(value, operator, wanted) {
  const text = String(value ?? "null");
  if (operator === "~") return text.toLowerCase().includes(wanted.toLowerCase());
  const numbers = text.trim() !== "" && wanted !== "" && !isNaN(text) && !isNaN(wanted);
  if (!numbers && operator !== "=" && operator !== "!=") return false;
  const order = numbers ? Math.sign(Number(text) - Number(wanted)) : Number(text !== wanted);
  return COMPARISONS[operator](order);
}

function hasWord(row, word) {
  const text = `${row.members.map((run) => run.folder).join(" ")} ${Object.values(row.parts).join(" ")}`;
  return text.toLowerCase().includes(word.toLowerCase());
}

// The test, and the keys that no run has.
function parseFilter(text) {
  const tests = [];
  const unknown = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const term = word.match(/^([^=<>!~]+)(<=|>=|!=|=|<|>|~)(.*)$/);
    if (!term) {
      tests.push((row) => hasWord(row, word));
      continue;
    }
    const [, key, operator, wanted] = term;
    const read = reader(key);
    if (!read) {
      unknown.push(key);
      continue;
    }
    const choices = wanted.split(",");
    tests.push((row) =>
      operator === "!="
        ? choices.every((choice) => matches(read(row), operator, choice))
        : choices.some((choice) => matches(read(row), operator, choice)),
    );
  }
  return { test: (row) => tests.every((test) => test(row)), unknown };
}
