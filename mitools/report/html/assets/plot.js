// What all charts share: scales, ticks, axes, legends.

const MARKERS = ["circle", "square", "triangle", "diamond"];

/** A linear scale from numbers to pixels. */
function scale([low, high], [from, to]) {
  const factor = high === low ? 0 : (to - from) / (high - low);
  const place = (value) => from + (value - low) * factor;
  return Object.assign(place, { low, high, from, to });
}

/** Round numbers between two limits, about as many as asked for. */
function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Write ticks with as many decimals as the finest of them needs. */
function tickTexts(values) {
  const digits = Math.max(...values.map((value) => (String(value).split(".")[1] ?? "").length));
  return values.map((value) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

/** Limits of some numbers, a little wider; [0, 1] of none. */
function limits(values, room = 0.06) {
  const known = values.filter(isNumber);
  if (!known.length) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const wider = room * (high - low || Math.abs(high) || 1);
  return [low - wider, high + wider];
}

/** An empty drawing as wide as its box. */
function drawing(box, width, height, title) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": title });
  box.replaceChildren(svg);
  return svg;
}

/** Draw a horizontal axis at height y, with grid lines up to the top; of whole numbers, such as epochs, no others. */
function axisAcross(svg, across, y, top, label, whole = false) {
  const wanted = Math.max(2, Math.round((across.to - across.from) / 90));
  const values = ticks(across.low, across.high, wanted).filter((value) => !whole || Number.isInteger(value));
  const texts = tickTexts(values);
  values.forEach((value, k) => {
    const x = across(value);
    svg.append(
      shape("line", { class: "grid", x1: x, x2: x, y1: top, y2: y }),
      shape("text", { class: "tick", x, y: y + 16, "text-anchor": "middle" }, texts[k]),
    );
  });
  svg.append(
    shape("line", { class: "axis", x1: across.from, x2: across.to, y1: y, y2: y }),
    shape("text", { x: (across.from + across.to) / 2, y: y + 36, "text-anchor": "middle" }, label),
  );
}

/** Draw a vertical axis at x, with grid lines to the right; its name stands above it. */
function axisUp(svg, up, x, right, label) {
  const values = ticks(up.low, up.high, Math.max(2, Math.round((up.from - up.to) / 55)));
  const texts = tickTexts(values);
  values.forEach((value, k) => {
    const y = up(value);
    svg.append(
      shape("line", { class: "grid", x1: x, x2: right, y1: y, y2: y }),
      shape("text", { class: "tick", x: x - 7, y: y + 4, "text-anchor": "end" }, texts[k]),
    );
  });
  svg.append(shape("text", { x: 0, y: up.to - 14 }, label));
}

/** A marker of the kind that a series has, so that colour is never all that tells it. */
function marker(series, x, y, size, style) {
  const kind = MARKERS[series % MARKERS.length];
  if (kind === "circle") return shape("circle", { class: style, cx: x, cy: y, r: size });
  const points = {
    square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  }[kind];
  return shape("polygon", { class: style, points: points.map(([a, b]) => `${x + a * size},${y + b * size}`).join(" ") });
}

const seriesColour = (series) => `color: var(--series-${series % 8})`;

/** Explain marks below a drawing: pairs of a small drawing and a text. */
function legend(box, entries) {
  const items = entries.map(([marks, text]) => {
    const svg = shape("svg", { viewBox: "0 0 22 12", "aria-hidden": "true" }, ...marks);
    return make("li", {}, svg, text);
  });
  box.append(make("ul", { class: "legend" }, ...items));
}

/** Cut a long name in its middle, where names of one family differ least. */
function shorten(name, length) {
  if (name.length <= length) return name;
  const tail = Math.floor((length - 1) / 2);
  return `${name.slice(0, length - 1 - tail)}…${name.slice(name.length - tail)}`;
}

/** A mark that can be pointed at, reached by keyboard and chosen. */
function markOf(name, help, ...children) {
  return shape("g", { class: "mark", "data-link": name, "data-help": help, tabindex: "0", role: "button",
    "aria-pressed": String(chosen.has(name)), "aria-label": help.replaceAll("\n", ", ") }, ...children);
}
