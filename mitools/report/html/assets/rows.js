// What charts of one row a name share: where names stand, and the value in figures.

/** Lay out rows of names beside (or, where it is narrow, above) a strip of the plot. */
function nameRows(width, rows, label) {
  const narrow = width < 620;
  const longest = Math.max(4, ...rows.map((row) => String(row[label]).length));
  const letters = narrow ? Math.floor(width / 7) - 20 : Math.min(longest, Math.floor(0.06 * width));
  return {
    narrow, letters,
    left: narrow ? 6 : 20 + 6.3 * letters,
    right: narrow ? width - 8 : width - 172,
    step: narrow ? 46 : 32,
    middle: narrow ? 31 : 16,
    top: 26,
  };
}

/** A row: its ground, its name and its value in figures; the marks of its plot come after. */
function nameRow(layout, width, row, place, spec, choice, marks) {
  const y = layout.top + place * layout.step;
  const [value, low, high] = [row[choice.key], row[choice.low], row[choice.high]];
  const interval = isNumber(low) && isNumber(high) ? `${shown(low)} to ${shown(high)}` : "";
  const figures = layout.narrow
    ? shape("text", { x: width - 6, y: y + 14, "text-anchor": "end", class: "soft" }, isNumber(value) ? `${shown(value)}${interval && ` (${interval})`}` : "no value")
    : shape("text", { x: layout.right + 14, y: y + layout.middle + 4 }, isNumber(value) ? shown(value) : "no value",
      shape("tspan", { class: "soft", dx: 8 }, interval));
  const name = shape("text", layout.narrow ? { x: 6, y: y + 14 } : { x: layout.left - 10, y: y + layout.middle + 4, "text-anchor": "end" },
    shorten(String(row[spec.label]), layout.letters));
  return markOf(row[spec.link ?? spec.label], said(row[spec.label], row, [choice], spec.n),
    shape("rect", { class: "ground", x: 1, y: y + 1, width: width - 2, height: layout.step - 2, rx: 3 }),
    name, figures, ...marks(y + layout.middle));
}

/** Highest value first, rows without one last. */
function fromTheTop(rows, key) {
  const rank = (row) => (isNumber(row[key]) ? row[key] : -Infinity);
  return [...rows].sort((one, other) => (rank(other) === rank(one) ? 0 : rank(other) - rank(one)));
}
