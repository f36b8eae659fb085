"use strict";
// The data of the page, what is chosen on it, and the making of elements. Without the script the page shows figures and pictures.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const [PATH, SPLIT, LABEL, SHARD, RECORD, FORMAT, NOTE, CAMERA, GREY, VALUES, PERCENTILES, BOXES] = Array(12).keys();
const labelNames = new Map(data.labels.map(([id, text]) => [id, text]));
const metricAt = new Map(data.metrics.map(([key], at) => [key, at]));
const problemsOf = data.pictures.map(() => []);
data.problems.forEach((problem, at) => problem.cases.forEach(([, shown]) => shown.forEach((picture) => problemsOf[picture].includes(at) || problemsOf[picture].push(at))));

const number = (value) => value.toLocaleString("en");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part && part / whole < 0.1 ? 1 : 0)} %` : "");
const nameOf = (picture) => picture[PATH].slice(picture[PATH].lastIndexOf("/") + 1);
const isWritten = (picture) => picture[NOTE] === "";
const tone = (split) => `tone-${/^(train|validation|test|fold_\d)$/.test(data.splits[split]) ? data.splits[split] : "other"}`;

// make("p", { class: "quiet", onclick: f, text: "…" }, child, …): text is never markup.
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "circle", "line", "rect", "text", "g", "title"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const dot = (split) => make("span", { class: `dot ${tone(split)}` });

// What is chosen. `only` is a chip: a text, a test of pictures, how many images of the data set it is, and where it came from.
const state = { split: -1, search: "", only: null, sort: "label", down: false, order: [], picked: new Set(), visible: 0 };
const listeners = [];
const changed = () => listeners.forEach((listener) => listener());

function matches(at) {
  const picture = data.pictures[at];
  if (state.split >= 0 && picture[SPLIT] !== state.split) return false;
  if (state.only && !state.only.test(picture, at)) return false;
  if (!state.search) return true;
  return (labelNames.get(picture[LABEL]) ?? "").toLowerCase().includes(state.search) || picture[PATH].toLowerCase().includes(state.search);
}

function choose(text, test, total, from, split) {
  state.only = { text, test, total, from };
  if (split !== undefined) state.split = split;
  byId("split").value = state.split < 0 ? "" : state.split;
  if (from) { state.search = ""; byId("search").value = ""; }
  changed();
  byId("pictures").scrollIntoView();
  byId("pictures-title").focus({ preventScroll: true });
}

// A group of many buttons is one stop of the tab key; the arrows go on in it.
function roving(group, items) {
  items.forEach((item, at) => item.setAttribute("tabindex", at === 0 ? "0" : "-1"));
  group.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = items[Math.max(0, Math.min(items.length - 1, to))];
    items.forEach((item) => item.setAttribute("tabindex", item === next ? "0" : "-1"));
    next.focus();
  });
}

async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from a file may not be allowed to
    const area = make("textarea");
    area.value = text;
    button.parentElement.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = "Copied";
  byId("status").textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1200);
}
