// Everything begins here.

function startChart(figure) {
  const name = figure.dataset.chart;
  const spec = { ...DATA.charts[name], name };
  const rows = rowsOf(spec.table);
  const [controls, box] = [figure.querySelector(".controls"), figure.querySelector(".drawing")];
  let width = 0;
  const redraw = () => {
    CHARTS[spec.kind](box, spec, chosenRows(rows, state), state);
    markChosen();
  };
  const state = startChoices(controls, spec, rows, redraw);
  if (spec.kind !== "confusion") {
    const save = make("button", { type: "button", class: "save" }, "Save as SVG");
    save.addEventListener("click", () => saveText(`${name}.svg`, drawingAsText(box), "image/svg+xml"));
    controls.append(save);
  }
  new ResizeObserver(() => {
    if (box.clientWidth === width) return; // its height changes with every drawing
    width = box.clientWidth;
    redraw();
  }).observe(box);
}

/** A drawing as a file of its own, with the colours that it has now. */
function drawingAsText(box) {
  const svg = box.querySelector("svg");
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  const style = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "paint-order"];
  [copy, ...copy.querySelectorAll("*")].forEach((element, k) => {
    const computed = getComputedStyle(originals[k]);
    element.setAttribute("style", style.map((name) => `${name}: ${computed.getPropertyValue(name)}`).join("; "));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

/** Paper shows what is folded as well. */
function startPrinting() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open]):not(.menu)")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
}

startTheme();
startTooltip();
startLinks();
startCopies();
startTables();
for (const figure of document.querySelectorAll("[data-chart]")) startChart(figure);
startPrinting();
