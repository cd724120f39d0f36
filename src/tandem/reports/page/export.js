// The leaderboard as it is shown, for a spreadsheet or a paper.
function exportedRows() {
  return boardGroups().flatMap(([, list]) => list);
}

// Columns of plain values; over seeds each metric is followed by its deviation and count.
function plainColumns() {
  const set = { title: "test set", raw: (row) => (row.set === null ? "" : data.sets[row.set].label) };
  const reason = { title: "not ranked", raw: exclusion };
  const columns = shownColumns().flatMap((one) => {
    if (!view.seeds || !modes.has(one.key)) return [one];
    return [
      one,
      { title: `${one.key} deviation`, raw: (row) => own(row.spread, one.key)?.deviation ?? "" },
      { title: `${one.key} runs`, raw: (row) => (has(row, one.key) ? (own(row.spread, one.key)?.count ?? 1) : "") },
    ];
  });
  return [...columns, set, reason];
}

function asCsv() {
  const quoted = (value) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const columns = plainColumns();
  const lines = exportedRows().map((row) => columns.map((one) => quoted(one.raw(row))).join(","));
  return `${[columns.map((one) => quoted(one.title)).join(","), ...lines].join("\r\n")}\r\n`;
}

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "×": "$\\times$" };
const escapeLatex = (text) => String(text).replace(/[\\~^<>×]|[&%$#_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);

const exclusion = (row) => own(row.excluded, splitOf(view.metric)) ?? "";

function latexCell(row, one) {
  if (one.key === "run") return escapeLatex(row.name) + (exclusion(row) ? "$^\\dagger$" : "");
  if (!modes.has(one.key)) return escapeLatex(typeof one.raw(row) === "number" ? one.cell(row).textContent : one.raw(row));
  if (!has(row, one.key)) return "";
  const score = format(one.key, row.metrics[one.key]);
  const deviation = own(row.spread, one.key)?.deviation ?? null;
  const spread = deviation === null ? "" : ` {\\small $\\pm$ ${format(one.key, deviation)}}`;
  return (isBest(row, one.key) ? `\\textbf{${score}}` : score) + spread;
}

// A table for the package booktabs, the best of each metric in bold, with a dagger at rows that do not rank.
function asLatex() {
  const columns = shownColumns().filter((one) => !["", "state", "command"].includes(one.key));
  const sets = boardGroups();
  const body = sets.flatMap(([title, list]) => [
    ...(title ? [`\\multicolumn{${columns.length}}{l}{\\textit{${escapeLatex(title)}}} \\\\`] : []),
    ...list.map((row) => `${columns.map((one) => latexCell(row, one)).join(" & ")} \\\\`),
  ]);
  return [
    "% \\usepackage{booktabs}",
    `\\begin{tabular}{${columns.map((one) => (one.number ? "r" : "l")).join("")}}`,
    "\\toprule",
    `${columns.map((one) => escapeLatex(one.title)).join(" & ")} \\\\`,
    "\\midrule",
    ...body,
    "\\bottomrule",
    "\\end{tabular}",
    ...exportedRows().filter(exclusion).map((row) => `% not ranked: ${row.name}: ${exclusion(row)}`.replace(/\s+/g, " ")),
    "",
  ].join("\n");
}

const EXPORTS = {
  csv: { write: asCsv, name: "runs.csv", type: "text/csv" },
  latex: { write: asLatex, name: "runs.tex", type: "text/x-tex" },
};

function showExport() {
  byId("export-text").value = EXPORTS[byId("export-format").value].write();
}

function saveExport() {
  const { name, type } = EXPORTS[byId("export-format").value];
  const address = URL.createObjectURL(new Blob([byId("export-text").value], { type }));
  make("a", { download: name, href: address }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function listenToExport() {
  byId("export-open").addEventListener("click", () => {
    showExport();
    byId("export").showModal();
  });
  byId("export-format").addEventListener("change", showExport);
  byId("export-copy").addEventListener("click", () => copyText(byId("export-text").value, byId("export-copy")));
  byId("export-save").addEventListener("click", saveExport);
  byId("export-close").addEventListener("click", () => byId("export").close());
}
