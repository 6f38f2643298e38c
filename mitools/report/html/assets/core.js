"use strict";
// What every other file uses: the data of the page, and making elements.

document.documentElement.classList.add("script");
const DATA = JSON.parse(document.getElementById("data").textContent);
const CHARTS = {}; // a function by kind: (box, spec, rows, state), each in its own file

/** Rows of a table as objects by column. */
function rowsOf(name) {
  const table = DATA.tables[name];
  table.objects ??= table.rows.map((row) => Object.fromEntries(table.keys.map((key, k) => [key, row[k]])));
  return table.objects;
}

/** Make an element of HTML. Children that are texts become text, never markup. */
function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Make an element of SVG. */
function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Give a number as people read it: three decimals, or three significant digits of a large one. */
function shown(value) {
  if (!isNumber(value)) return value === null || value === undefined ? "–" : String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 100 ? value.toFixed(1) : Math.abs(value) >= 0.001 ? value.toFixed(3) : value.toPrecision(2);
}

/** Say a value, its interval and its number of items, for the box that follows the pointer. */
function said(name, row, choices, n) {
  const lines = [name];
  for (const one of choices) {
    if (!isNumber(row[one.key])) continue;
    lines.push(`${one.label}: ${shown(row[one.key])}`);
    if (isNumber(row[one.low]) && isNumber(row[one.high])) {
      lines.push(`interval ${shown(row[one.low])} to ${shown(row[one.high])}`);
    }
  }
  if (n && isNumber(row[n])) lines.push(`n = ${shown(row[n])}`);
  return lines.join("\n");
}
