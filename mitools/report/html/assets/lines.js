// Curves: a value with its interval over layers, epochs or known truths, one curve a series.
// Options: x, y (choices), series, link, limit and limit_of (a column, and the values it bounds), identity, ordinal, filters, n.

CHARTS.lines = (box, spec, rows, state) => {
  const [across, upon] = [spec.x[state.x], spec.y[state.y]];
  const known = rows.filter((row) => isNumber(row[upon.key]) && row[across.key] !== null);
  const limited = spec.limit && (spec.limit_of ?? [upon.key]).includes(upon.key);
  const names = spec.series ? [...new Set(known.map((row) => row[spec.series]))] : [""];
  const width = Math.max(280, box.clientWidth);
  const places = spec.ordinal ? [...new Set(known.map((row) => row[across.key]))] : null;
  const tail = places ? Math.min(112, 12 + 5.6 * Math.max(...places.map((one) => String(one).length), 1)) : 0;
  const height = Math.min(380, 240 + width / 6);
  const [left, right, top, bottom] = [48, width - 16, 34, height - 6];
  const values = known.flatMap((row) => [row[upon.key], row[upon.low], row[upon.high], limited ? row[spec.limit] : null]);
  const reach = limits([0, ...values, ...(spec.identity ? known.map((row) => row[across.key]) : [])]);
  const up = scale([Math.min(0, ...values.filter(isNumber)), reach[1]], [bottom, top]);
  const xScale = places ? scale([-0.4, places.length - 0.6], [left, right]) : scale(limits(known.map((row) => row[across.key]), 0.04), [left, right]);
  const xOf = (row) => xScale(places ? places.indexOf(row[across.key]) : row[across.key]);
  const svg = drawing(box, width, height + 44 + tail, spec.title);

  axisUp(svg, up, left, right, upon.label);
  if (places) namesAcross(svg, places, xScale, bottom, across.label, height + 36 + tail);
  else axisAcross(svg, xScale, bottom, top, across.label, known.every((row) => Number.isInteger(row[across.key])));
  if (limited) drawLimit(svg, known, spec, up, left, right);
  if (spec.identity) {
    const [low, high] = [Math.max(xScale.low, up.low), Math.min(xScale.high, up.high)];
    svg.append(shape("line", { class: "limit", x1: xScale(low), y1: up(low), x2: xScale(high), y2: up(high) }));
  }
  names.forEach((name, series) => {
    const own = known.filter((row) => !spec.series || row[spec.series] === name);
    const colour = { style: seriesColour(series) };
    svg.append(shape("path", { class: "curve", ...colour, d: own.map((row, k) => `${k ? "L" : "M"}${xOf(row)} ${up(row[upon.key])}`).join("") }));
    for (const row of own) {
      const [x, y] = [xOf(row), up(row[upon.key])];
      const title = [spec.series ? name : "", `${across.label}: ${shown(row[across.key])}`].filter(Boolean).join(" · ");
      const marks = [shape("circle", { class: "ground", cx: x, cy: y, r: 9 })];
      if (isNumber(row[upon.low]) && isNumber(row[upon.high])) {
        marks.push(shape("path", { class: "whisker", d: `M${x} ${up(row[upon.low])}V${up(row[upon.high])}` }));
      }
      marks.push(marker(series, x, y, 3.6, "dot"));
      svg.append(shape("g", colour, markOf(String(row[spec.link ?? spec.series] ?? ""), said(title, row, [upon], spec.n), ...marks)));
    }
  });
  const entries = spec.series ? names.map((name, series) => [[shape("g", { style: seriesColour(series) }, shape("path", { class: "curve", d: "M1 6H21" }), marker(series, 11, 6, 3.6, "dot"))], String(name)]) : [];
  if (spec.identity) entries.push([[shape("path", { class: "limit", d: "M1 11L21 1" })], "a reading equal to the truth"]);
  legend(box, entries);
};

/** Names of places under an axis, turned; of many only as many as there is room for. */
function namesAcross(svg, places, across, y, label, end) {
  const every = Math.ceil((places.length * 15) / (across.to - across.from));
  places.forEach((name, k) => {
    const x = across(k);
    svg.append(shape("line", { class: "axis", x1: x, x2: x, y1: y, y2: y + 4 }));
    if (k % every === 0) {
      svg.append(shape("text", { class: "tick", transform: `translate(${x + 4} ${y + 12}) rotate(-90)`, "text-anchor": "end" }, shorten(String(name), 20)));
    }
  });
  svg.append(shape("line", { class: "axis", x1: across.from, x2: across.to, y1: y, y2: y }),
    shape("text", { x: (across.from + across.to) / 2, y: end, "text-anchor": "middle" }, label));
}

function drawLimit(svg, rows, spec, up, left, right) {
  const limit = rows.map((row) => row[spec.limit]).find(isNumber);
  if (!isNumber(limit)) return;
  svg.append(shape("line", { class: "limit", x1: left, x2: right, y1: up(limit), y2: up(limit) }),
    shape("text", { class: "halo", x: right, y: up(limit) - 5, "text-anchor": "end" }, `${spec.limit_name ?? "H(C)"} = ${shown(limit)}`));
}
