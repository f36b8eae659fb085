"use strict";
// Filters by split and label, the order of the label table, and the theme. Without it the page shows everything.

const byId = (id) => document.getElementById(id);
const words = (element, name) => (element.dataset[name] ?? "").split(" ").filter(Boolean);

const split = byId("split");
const label = byId("label");
const rows = [...document.querySelectorAll("#label-rows tr")];
const names = new Map(rows.map((row) => [row.dataset.labels, row.querySelector("th").textContent.trim().toLowerCase()]));

function suggest() {
  const list = byId("label-names");
  for (const row of rows) {
    const option = document.createElement("option");
    option.value = row.querySelector("th").textContent.trim();
    list.append(option);
  }
}

function filter() {
  const text = label.value.trim().toLowerCase();
  const chosen = [...names].filter(([, name]) => name.includes(text)).map(([id]) => id);
  const wanted = new Set(chosen);
  const fits = (element) => {
    const splits = words(element, "splits");
    const labels = words(element, "labels");
    return (
      (split.value === "" || splits.length === 0 || splits.includes(split.value)) &&
      (text === "" || labels.length === 0 || labels.some((id) => wanted.has(id)))
    );
  };
  for (const element of document.querySelectorAll("[data-splits], [data-labels]")) element.hidden = !fits(element);
  // A chart of all splits gives way to the one of the chosen split, where there is one.
  for (const chart of document.querySelectorAll("[data-chart]")) chart.hidden = chart.dataset.chart !== split.value;
  for (const group of document.querySelectorAll("[data-group]")) {
    const members = [...group.querySelectorAll("[data-splits], [data-labels]")].filter((member) => !member.closest("[hidden]"));
    group.querySelector(".none").hidden = members.length > 0;
  }
  const all = names.size;
  byId("shown").value = text || split.value ? `${chosen.length.toLocaleString("en")} of ${all.toLocaleString("en")} labels` : "";
}

const orders = {
  id: (a, b) => Number(a.dataset.labels) - Number(b.dataset.labels),
  most: (a, b) => Number(b.dataset.images) - Number(a.dataset.images),
  fewest: (a, b) => Number(a.dataset.images) - Number(b.dataset.images),
  rejected: (a, b) => Number(b.dataset.rejected) - Number(a.dataset.rejected),
  name: (a, b) => names.get(a.dataset.labels).localeCompare(names.get(b.dataset.labels)),
};

function order() {
  byId("label-rows").append(...rows.sort(orders[byId("order").value]));
}

function remembered(value) {
  try { // a page from a file may not be allowed to remember
    if (value !== undefined) localStorage.setItem("imagerecords-theme", value);
    return localStorage.getItem("imagerecords-theme");
  } catch {
    return null;
  }
}

function show(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
}

suggest();
split.addEventListener("change", filter);
label.addEventListener("input", filter);
byId("order").addEventListener("change", order);
byId("theme").addEventListener("change", (event) => { show(event.target.value); remembered(event.target.value); });
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => setTimeout(filter));
const theme = remembered();
if (theme === "light" || theme === "dark") show(theme);
filter();
