// Tables: sorting by a header, searching rows, choosing columns, copying what is seen.

function startTables() {
  for (const box of document.querySelectorAll("[data-table]")) startTable(box);
}

function startTable(box) {
  const body = box.querySelector("tbody");
  const headers = [...box.querySelectorAll("thead th")];
  const output = box.querySelector(".said");

  headers.forEach((header, place) => {
    header.querySelector("button").addEventListener("click", () => {
      const first = header.classList.contains("number") ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      const order = header.getAttribute("aria-sort") === first ? other : first;
      for (const one of headers) one.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", order);
      body.append(...sorted([...body.rows], place, order === "descending" ? -1 : 1));
    });
  });

  box.querySelector('input[type="search"]').addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let count = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      count += row.hidden ? 0 : 1;
    }
    output.textContent = wanted ? `${count} of ${body.rows.length} rows` : "";
  });

  for (const check of box.querySelectorAll("[data-column]")) {
    check.addEventListener("change", () => {
      const place = Number(check.dataset.column);
      for (const row of box.querySelectorAll("tr")) row.cells[place].hidden = !check.checked;
    });
  }

  for (const button of box.querySelectorAll("[data-form]")) {
    button.addEventListener("click", async () => {
      const form = button.dataset.form;
      const done = await copyText(FORMS[form](seen(box, form === "csv")));
      output.textContent = done ? `copied as ${button.textContent}` : "the browser does not allow copying";
    });
  }
}

/** Sort rows by a column; cells without a value come last, whatever the order. */
function sorted(rows, place, sign) {
  const keys = new Map(rows.map((row) => [row, row.cells[place].dataset.sort]));
  const numbers = rows.every((row) => !Number.isNaN(Number(keys.get(row))));
  return rows.sort((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (numbers ? a - b : a.localeCompare(b, "en", { numeric: true }));
  });
}

/** The rows and columns that are seen, header first: with all digits and limits apart, or as they look. */
function seen(box, exact) {
  const { columns } = DATA.tables[box.dataset.table];
  const places = [...box.querySelectorAll("thead th")].flatMap((header, place) => (header.hidden ? [] : [place]));
  const rows = [...box.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const records = rowsOf(box.dataset.table);
  const ofColumn = (column) => (column.low ? [column.key, column.low, column.high] : [column.key]);
  if (exact) {
    const keys = places.flatMap((place) => ofColumn(columns[place]));
    return [keys, ...rows.map((row) => keys.map((key) => String(records[row.dataset.row][key] ?? "")))];
  }
  const text = (cell) => {
    const interval = cell.querySelector(".interval")?.textContent;
    const value = (cell.querySelector(".linked") ?? cell.firstChild)?.textContent.trim() ?? "";
    return interval ? `${value} (${interval})` : value;
  };
  return [places.map((place) => columns[place].label), ...rows.map((row) => places.map((place) => text(row.cells[place])))];
}
