// Chosen runs one by one: how they ended, and the command that repeats each.
function copyText(text, button) {
  const area = make("textarea", { class: "away" });
  area.value = text;
  button.after(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  const before = button.textContent;
  button.textContent = isDone ? "Copied" : "Cannot copy";
  setTimeout(() => (button.textContent = before), 1500);
}

function factLine(run) {
  const facts = [
    run.started ? `started ${moment(run.started)}` : "",
    run.steps === null ? "" : `${whole(run.steps)} steps`,
    run.epochs === null ? "" : `${whole(run.epochs)} epochs`,
    run.seconds === null ? "" : duration(run.seconds),
    run.parameters === null ? "" : `${whole(run.parameters)} parameters`,
  ];
  return facts.filter(Boolean).join(" · ");
}

function commandLine(run) {
  if (!run.command) return null;
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", () => copyText(run.command, button));
  return make("div", { class: "command" }, make("code", {}, run.command), button);
}

function exclusionSentence(run, reason) {
  const splits = Object.keys(run.excluded).filter((split) => run.excluded[split] === reason);
  return `Not ranked by ${splits.join(" and ")} scores: ${reason}.`;
}

function ceilingSentence(run) {
  const scores = Object.entries(run.ceilings).map(([name, value]) => `${name} ${format(name, value)}`);
  return `Its tokenizer cannot write every reference as it stands; outputs as close as it can write score ${scores.join(", ")}.`;
}

function detailCard(run, row) {
  const swatch = make("span", { class: "swatch" });
  swatch.style.background = colour(row);
  const reasons = [...new Set(Object.values(run.excluded))].map((reason) => make("p", {}, exclusionSentence(run, reason)));
  const sentences = [...new Set([run.why, ...run.notes])].filter(Boolean).map((text) => make("p", {}, text));
  return make("article", { class: "card" },
    make("h3", {}, swatch, make("span", {}, run.name), stateBadge(run)),
    make("p", { class: "quiet" }, factLine(run)),
    make("p", { class: "quiet path" }, run.folder),
    ...reasons,
    ...sentences,
    Object.keys(run.ceilings).length ? make("p", {}, ceilingSentence(run)) : null,
    commandLine(run));
}

function drawDetails() {
  byId("details").replaceChildren(...chosenRows().flatMap((row) => row.members.map((run) => detailCard(run, row))));
}
