// Which class is taken for which, an encoder at a time: a table, shaded by the share of the true class.

CHARTS.confusion = (box, spec, rows, state) => {
  const row = rows[0];
  const counts = JSON.parse(row[spec.counts]);
  const header = make("tr", {}, make("th", { scope: "col" }, "true class"), ...spec.classes.map((name) => make("th", { scope: "col" }, shorten(name, 14))), make("th", { scope: "col" }, "bits"));
  const bits = JSON.parse(row[spec.bits]);
  const body = counts.map((of, k) => {
    const all = of.reduce((sum, count) => sum + count, 0);
    const cells = of.map((count, other) => {
      const share = all ? count / all : 0;
      const colour = other === k ? "--series-0" : "--series-1";
      const strength = Math.round(100 * Math.min(1, other === k ? 0.45 * share : 1.6 * share));
      const style = share ? `background: color-mix(in srgb, var(${colour}) ${strength}%, transparent)` : null;
      const help = `${spec.classes[k]} taken for ${spec.classes[other]}: ${count} of ${all}`;
      return make("td", { style, "data-help": other === k ? `${spec.classes[k]} recognised: ${count} of ${all}` : help }, share ? `${(100 * share).toFixed(share < 0.0995 && all > 100 ? 1 : 0)}` : "·");
    });
    return make("tr", {}, make("th", { scope: "row" }, shorten(spec.classes[k], 20)), ...cells, make("td", {}, shown(bits[k])));
  });
  const table = make("table", {}, make("caption", {}, `${row[spec.label]}: per cent of each true class`), make("thead", {}, header), make("tbody", {}, ...body));
  box.replaceChildren(make("div", { class: "scroll confusion", tabindex: "0", role: "region", "aria-label": spec.title }, table));
};
