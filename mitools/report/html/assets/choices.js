// What a chart can be asked to show: quantities of its axes, and which rows.

/** Build the controls of a chart; `changed` is called after each choice. Gives the state that they hold. */
function startChoices(box, spec, rows, changed) {
  const state = { x: 0, y: 0, filters: {} };
  const add = (label, options, start, set) => {
    if (options.length < 2) return;
    const select = make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
    select.value = start;
    select.addEventListener("change", () => { set(select.value); changed(); });
    box.append(make("label", {}, label, select));
  };
  for (const filter of spec.filters ?? []) {
    const values = [...new Set(rows.map((row) => row[filter.key]))];
    state.filters[filter.key] = filter.last ? values.at(-1) : values[0];
    const options = values.map((value, k) => [k, String(value)]);
    add(filter.label, options, filter.last ? values.length - 1 : 0, (k) => { state.filters[filter.key] = values[k]; });
  }
  for (const axis of ["y", "x"]) {
    const options = (spec[axis] ?? []).map((one, k) => [k, one.label]);
    state[axis] = spec[`${axis}_start`] ?? 0;
    add(spec[`${axis}_name`] ?? (axis === "y" ? "Show" : "Across"), options, state[axis], (k) => { state[axis] = Number(k); });
  }
  return state;
}

/** The rows that pass the filters. */
function chosenRows(rows, state) {
  return rows.filter((row) => Object.entries(state.filters).every(([key, value]) => row[key] === value));
}
