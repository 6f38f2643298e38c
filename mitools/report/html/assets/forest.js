// The forest plot: a value and its interval a row, and a line where nothing is found.
// Options: label, y (choices), zero, domain, unit, n, filters.

CHARTS.forest = (box, spec, all, state) => {
  const choice = spec.y[state.y];
  const rows = fromTheTop(all, choice.key);
  const width = Math.max(280, box.clientWidth);
  const layout = nameRows(width, rows, spec.label);
  const bottom = layout.top + rows.length * layout.step;
  const values = rows.flatMap((row) => [row[choice.key], row[choice.low], row[choice.high]]);
  const across = scale(spec.domain ?? limits(isNumber(spec.zero) ? [...values, spec.zero] : values), [layout.left, layout.right]);
  const svg = drawing(box, width, bottom + 46, spec.title);
  axisAcross(svg, across, bottom + 4, layout.top - 8, spec.unit ? `${choice.label} (${spec.unit})` : choice.label);
  if (isNumber(spec.zero)) {
    const x = across(spec.zero);
    const spans = layout.narrow // there, one line would cross the names above the marks
      ? rows.map((_, place) => layout.top + place * layout.step + layout.middle).map((y) => [y - 12, y + 12])
      : [[layout.top - 8, bottom + 4]];
    svg.append(...spans.map(([y1, y2]) => shape("line", { class: "axis", x1: x, x2: x, y1, y2 })));
  }
  rows.forEach((row, place) => {
    svg.append(nameRow(layout, width, row, place, spec, choice, (y) => {
      const [value, low, high] = [row[choice.key], row[choice.low], row[choice.high]];
      if (!isNumber(value)) return [];
      const series = spec.series ? rows.map((one) => one[spec.series]).filter((one, k, them) => them.indexOf(one) === k).indexOf(row[spec.series]) : 0;
      const marks = [];
      if (isNumber(low) && isNumber(high)) {
        marks.push(shape("path", { class: "whisker", d: `M${across(low)} ${y}H${across(high)}M${across(low)} ${y - 4}v8M${across(high)} ${y - 4}v8` }));
      }
      marks.push(marker(series, across(value), y, 4.5, "dot"));
      return [shape("g", { style: seriesColour(series) }, ...marks)];
    }));
  });
};
