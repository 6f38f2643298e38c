// The bracket chart: what is certified, what is open, and the entropy that nothing exceeds.
// Options: label, y (choices), entropy, n, filters.

CHARTS.brackets = (box, spec, all, state) => {
  const choice = spec.y[state.y];
  const rows = fromTheTop(all, choice.key);
  const width = Math.max(280, box.clientWidth);
  const layout = nameRows(width, rows, spec.label);
  const bottom = layout.top + rows.length * layout.step;
  const entropies = rows.map((row) => row[spec.entropy]).filter(isNumber);
  const most = Math.max(...entropies, ...rows.map((row) => row[choice.high] ?? row[choice.key] ?? 0));
  const least = Math.min(0, ...rows.map((row) => row[choice.low] ?? row[choice.key] ?? 0));
  const across = scale([least, most * 1.02 || 1], [layout.left, layout.right]);
  const svg = drawing(box, width, bottom + 46, spec.title);
  svg.append(shape("defs", {}, shape("pattern",
    { id: `hatch-${spec.name}`, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    shape("rect", { class: "open-ground", width: 7, height: 7 }), shape("line", { class: "open-line", y2: 7 }))));
  axisAcross(svg, across, bottom + 4, layout.top, spec.unit ?? "bits");

  rows.forEach((row, place) => {
    svg.append(nameRow(layout, width, row, place, spec, choice, (y) => {
      const [value, low, high, entropy] = [row[choice.key], row[choice.low], row[choice.high], row[spec.entropy]];
      if (!isNumber(value)) return [];
      const certain = Math.max(0, isNumber(low) ? low : value); // a limit below 0 certifies nothing
      const marks = [];
      if (isNumber(entropy) && entropy > certain) {
        marks.push(shape("rect", { fill: `url(#hatch-${spec.name})`, x: across(certain), y: y - 8, width: across(entropy) - across(certain), height: 16 }));
      }
      marks.push(shape("rect", { class: "certain", x: across(0), y: y - 8, width: across(certain) - across(0), height: 16 }));
      if (isNumber(low) && isNumber(high)) {
        marks.push(shape("path", { class: "whisker", style: "color: var(--ink)", d: `M${across(low)} ${y}H${across(high)}` }));
      }
      marks.push(marker(3, across(value), y, 4, "point"));
      return marks;
    }));
  });
  drawEntropy(svg, rows, spec.entropy, across, layout, bottom);
  legend(box, [
    [[shape("rect", { class: "certain", width: 22, height: 12 })], "certified: at least this"],
    [[shape("rect", { fill: `url(#hatch-${spec.name})`, width: 22, height: 12 })], "open: the truth lies in here"],
    [[shape("path", { class: "whisker", style: "color: var(--ink)", d: "M2 6H20" }), marker(3, 11, 6, 3.4, "point")], "reading and 95% interval"],
    [[shape("path", { class: "limit", d: "M11 0V12" })], "H(C), which it cannot exceed"],
  ]);
};

/** One line for all rows where they have the same entropy and there is room, else a short one a row. */
function drawEntropy(svg, rows, key, across, layout, bottom) {
  const known = [...new Set(rows.map((row) => row[key]).filter(isNumber).map((value) => value.toFixed(4)))];
  if (known.length === 1) {
    const x = across(Number(known[0]));
    if (!layout.narrow) svg.append(shape("line", { class: "limit", x1: x, x2: x, y1: layout.top - 4, y2: bottom + 4 }));
    svg.append(shape("text", { x, y: layout.top - 10, "text-anchor": "end", dx: 8 }, `H(C) = ${Number(known[0]).toFixed(3)} bits`));
    if (!layout.narrow) return; // there, a line would cross the figures above the bars
  }
  rows.forEach((row, place) => {
    if (!isNumber(row[key])) return;
    const y = layout.top + place * layout.step + layout.middle;
    svg.append(shape("line", { class: "limit", x1: across(row[key]), x2: across(row[key]), y1: y - 12, y2: y + 12 }));
  });
}
