// One scatter with a choice of both axes; intervals on both sides, names where there are few rows.
// Options: x, y (choices), label, series, connected, filters, n.

CHARTS.scatter = (box, spec, rows, state) => {
  const [across, upon] = [spec.x[state.x], spec.y[state.y]];
  const known = rows.filter((row) => isNumber(row[across.key]) && isNumber(row[upon.key]));
  const names = spec.series ? [...new Set(known.map((row) => row[spec.series]))] : [""];
  const width = Math.max(280, Math.min(box.clientWidth, 760));
  const height = Math.max(300, Math.min(430, 0.62 * width));
  const [left, right, top, bottom] = [56, width - 20, 34, height - 6];
  const range = (one) => limits(known.flatMap((row) => [row[one.key], row[one.low], row[one.high]]), 0.08);
  const [x, y] = [scale(range(across), [left, right]), scale(range(upon), [bottom, top])];
  const svg = drawing(box, width, height + 44, spec.title);
  svg.style.maxWidth = `${width}px`;
  axisUp(svg, y, left, right, upon.label);
  axisAcross(svg, x, bottom, top, across.label);

  const taken = known.map((row) => [x(row[across.key]), y(row[upon.key]), 10, 10]);
  names.forEach((name, series) => {
    const own = known.filter((row) => !spec.series || row[spec.series] === name);
    const colour = { style: seriesColour(series) };
    if (spec.connected) {
      svg.append(shape("path", { class: "curve", ...colour, opacity: 0.5, d: own.map((row, k) => `${k ? "L" : "M"}${x(row[across.key])} ${y(row[upon.key])}`).join("") }));
    }
    for (const row of own) {
      const [px, py] = [x(row[across.key]), y(row[upon.key])];
      const marks = [shape("circle", { class: "ground", cx: px, cy: py, r: 10 })];
      if (isNumber(row[across.low]) && isNumber(row[across.high])) {
        marks.push(shape("path", { class: "whisker", opacity: 0.7, d: `M${x(row[across.low])} ${py}H${x(row[across.high])}` }));
      }
      if (isNumber(row[upon.low]) && isNumber(row[upon.high])) {
        marks.push(shape("path", { class: "whisker", opacity: 0.7, d: `M${px} ${y(row[upon.low])}V${y(row[upon.high])}` }));
      }
      marks.push(marker(series, px, py, 4.5, "dot"));
      const title = [row[spec.label], ...(spec.also ?? []).map((one) => `${one.label}: ${shown(row[one.key])}`)].join("\n");
      svg.append(shape("g", colour, markOf(String(row[spec.link ?? spec.label]), said(title, row, [across, upon], spec.n), ...marks)));
    }
  });
  if (known.length <= 14 && !spec.connected) known.forEach((row) => nameBeside(svg, String(row[spec.label]), x(row[across.key]), y(row[upon.key]), taken, right));
  if (known.length < rows.length) {
    box.append(make("p", { class: "caption" }, `${rows.length - known.length} of ${rows.length} rows lack one of the two.`));
  }
  if (spec.series) {
    legend(box, names.map((name, series) => [[shape("g", { style: seriesColour(series) }, marker(series, 11, 6, 4, "dot"))], String(name)]));
  }
};

/** Write a name where it hides no mark and no other name; leave it out where there is no such place. */
function nameBeside(svg, name, x, y, taken, right) {
  const text = shorten(name, 24);
  const half = 3.4 * text.length;
  for (const [dx, dy] of [[0, -15], [0, 24], [half + 12, 4], [-half - 12, 4]]) {
    const place = [x + dx, y + dy - 4, half, 7];
    const free = taken.every(([a, b, w, h]) => Math.abs(a - place[0]) > w + half || Math.abs(b - place[1]) > h + 7);
    if (!free || place[0] - half < 0 || place[0] + half > right + 20 || place[1] < 22) continue;
    taken.push(place);
    svg.append(shape("text", { class: "halo", x: x + dx, y: y + dy, "text-anchor": "middle" }, text));
    return;
  }
}
