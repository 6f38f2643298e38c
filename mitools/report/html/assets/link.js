// The same thing in tables and charts: pointing at one marks all, choosing one keeps them marked.

const chosen = new Set();

/** Mark everything that bears a name in data-link. */
function markAll(name, style, on) {
  for (const element of document.querySelectorAll(`[data-link="${CSS.escape(name)}"]`)) {
    element.classList.toggle(style, on);
    if (style !== "chosen") continue;
    for (const button of element.matches("[aria-pressed]") ? [element] : element.querySelectorAll(".linked")) {
      button.setAttribute("aria-pressed", on);
    }
  }
}

/** Mark what was chosen before a chart was drawn anew. */
function markChosen() {
  for (const name of chosen) markAll(name, "chosen", true);
}

function choose(name) {
  const on = !chosen.has(name);
  if (on) chosen.add(name); else chosen.delete(name);
  markAll(name, "chosen", on);
}

function startLinks() {
  const linked = (target) => (target instanceof Element ? target.closest("[data-link]") : null);
  let pointed = null;
  const point = (name) => {
    if (name === pointed) return;
    if (pointed !== null) markAll(pointed, "pointed", false);
    if (name !== null) markAll(name, "pointed", true);
    pointed = name;
  };
  document.addEventListener("pointerover", (event) => point(linked(event.target)?.dataset.link ?? null));
  document.addEventListener("focusin", (event) => point(linked(event.target)?.dataset.link ?? null));
  document.addEventListener("click", (event) => {
    const element = event.target instanceof Element ? event.target.closest(".linked, .mark") : null;
    if (element) choose(linked(element).dataset.link);
  });
  document.addEventListener("keydown", (event) => {
    const element = event.target instanceof Element ? event.target.closest(".mark") : null;
    if (element && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      choose(linked(element).dataset.link);
    }
  });
}
