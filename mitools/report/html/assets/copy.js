// Tables as text for other programs, and getting text out of the page.

const FORMS = {
  csv: (lines) => lines.map((cells) => cells.map(csvCell).join(",")).join("\n") + "\n",
  markdown: ([header, ...lines]) => [header, header.map(() => "---"), ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replace(/[|\\]/g, "\\$&")).join(" | ")} |`).join("\n") + "\n",
  latex: ([header, ...lines]) => {
    const row = (cells) => `${cells.map(latexCell).join(" & ")} \\\\`;
    return [`\\begin{tabular}{l${"r".repeat(header.length - 1)}}`, "\\toprule", row(header), "\\midrule",
      ...lines.map(row), "\\bottomrule", "\\end{tabular}"].join("\n") + "\n";
  },
};

/** A cell of CSV; what a spreadsheet would run as a formula gets an apostrophe. */
function csvCell(cell) {
  const safe = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const LATEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "–": "--" };

function latexCell(cell) {
  return cell.replace(/[\\~^–#$%&_{}]/g, (sign) => LATEX[sign] ?? `\\${sign}`);
}

/** Put a text on the clipboard; resolves to whether that went well. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy"); // for browsers that keep the clipboard from files
    area.remove();
    return done;
  }
}

/** Offer a text as a file. */
function saveText(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** A whole table as CSV, all columns and digits that the page has. */
function tableAsCsv(name) {
  const { keys, rows } = DATA.tables[name];
  return FORMS.csv([keys, ...rows.map((row) => row.map((value) => (value === null ? "" : String(value))))]);
}

function startCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const done = await copyText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = done ? "Copied" : "Not allowed";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
  for (const button of document.querySelectorAll("[data-save]")) {
    const name = button.dataset.save;
    button.addEventListener("click", () => saveText(`${name}.csv`, tableAsCsv(name), "text/csv"));
  }
}
