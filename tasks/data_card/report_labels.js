// The table of labels: totals, shares of each split, and a cell per split that leads to its pictures.

const FIRST_LABELS = 20;
const labelOrder = { column: "id", down: false, all: false };

function totalOf([, , written]) {
  return written.reduce((sum, count) => sum + count, 0);
}

const labelValues = {
  id: (label) => label[0],
  label: (label) => label[1].toLowerCase(),
  images: totalOf,
  rejected: (label) => label[3],
};
data.splits.forEach((_, at) => { labelValues[`split-${at}`] = (label) => label[2][at]; });

function describeBalance() {
  const totals = data.labels.map(totalOf).filter(Boolean).sort((a, b) => a - b);
  if (!totals.length) return;
  const [least, most] = [totals[0], totals.at(-1)];
  const name = (total) => data.labels.find((label) => totalOf(label) === total)[1];
  const ratio = most / least;
  byId("imbalance").textContent = least === most ? `Balanced: each label has ${plural(least, "image")}.`
    : `The largest label has ${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en")} times the images of the smallest: ${plural(most, "image")} of ${name(most)}, ${number(least)} of ${name(least)}, half of the labels up to ${number(totals[totals.length >> 1])}.`;
}

function stacked(written, most) {
  const bar = make("span", { class: "stack", "aria-hidden": "true" });
  written.forEach((count, at) => {
    const part = make("span", { class: tone(at) });
    part.style.width = `${(100 * count) / Math.max(1, most)}%`;
    bar.append(part);
  });
  return bar;
}

function drawShares() {
  const written = data.splits.map((_, at) => data.labels.reduce((sum, label) => sum + label[2][at], 0));
  byId("shares").replaceChildren(stacked(written, written.reduce((sum, count) => sum + count, 0)));
}

function cell(id, name, at, count, total) {
  const split = data.splits[at];
  const test = (picture) => picture[LABEL] === id && isWritten(picture);
  if (!count) return make("td", { class: "lack", "data-name": split }, make("span", { text: "0" }), make("span", { class: "quiet small", text: "none" }));
  return make("td", { "data-name": split }, make("button", {
    type: "button", class: "cell", title: `Pictures of ${name} in ${split}`, "aria-label": `${name} in ${split}: ${plural(count, "image")}`,
    onclick: () => choose(`${name} in ${split}`, test, count, "label-table", at),
  }, make("span", { text: number(count) }), " ", make("span", { class: "quiet small", text: percent(count, total) })));
}

function labelRow(label, most) {
  const [id, name, written, rejected] = label;
  const total = totalOf(label);
  const all = (picture) => picture[LABEL] === id && isWritten(picture);
  const lost = (picture) => picture[LABEL] === id && !isWritten(picture);
  return make("tr", {},
    make("td", { class: "id quiet", text: id, "data-name": "id" }),
    make("th", { scope: "row", class: "left label" }, total ? make("button", { type: "button", class: "cell", text: name, onclick: () => choose(name, all, total, "label-table", -1) }) : name),
    make("td", { class: "total", "data-name": "images" }, stacked(written, most), make("span", { text: number(total) })),
    ...written.map((count, at) => cell(id, name, at, count, total)),
    make("td", { class: rejected ? "" : "zero", "data-name": "rejected" }, rejected
      ? make("button", { type: "button", class: "cell", text: number(rejected), "aria-label": `${name}: ${number(rejected)} rejected`, onclick: () => choose(`${name}, rejected`, lost, rejected, "label-table", -1) }) : "0"));
}

function heading(column, text, classes) {
  const active = labelOrder.column === column;
  const sort = () => {
    labelOrder.down = active ? !labelOrder.down : column !== "id" && column !== "label";
    labelOrder.column = column;
    drawLabels();
    byId(`by-${column}`).focus();
  };
  return make("th", { scope: "col", class: classes, "aria-sort": active ? (labelOrder.down ? "descending" : "ascending") : null },
    make("button", { type: "button", class: "head", id: `by-${column}`, onclick: sort }, text, make("span", { class: "arrow", "aria-hidden": "true", text: active ? (labelOrder.down ? " ▼" : " ▲") : "" })));
}

function drawLabels() {
  const found = data.labels.filter(([, text]) => text.toLowerCase().includes(state.search));
  const shown = found.length ? found : data.labels; // a search for a file name leaves the labels as they are
  const value = labelValues[labelOrder.column];
  const sorted = [...shown].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a[0] - b[0]) * (labelOrder.down ? -1 : 1));
  const rows = labelOrder.all ? sorted : sorted.slice(0, FIRST_LABELS);
  const most = Math.max(...data.labels.map(totalOf), 1);
  const head = make("tr", {}, heading("id", "id", "id"), heading("label", "label", "left"), heading("images", "images", "left"),
    ...data.splits.map((split, at) => heading(`split-${at}`, split, "")), heading("rejected", "rejected", ""));
  const table = make("table", { class: "labels" }, make("caption", { class: "out", text: "Images by label and split" }), make("thead", {}, head),
    make("tbody", { id: "label-rows" }, ...rows.map((label) => labelRow(label, most))));
  const hidden = sorted.length - rows.length;
  const more = make("button", { type: "button", id: "all-labels", onclick: () => { labelOrder.all = !labelOrder.all; drawLabels(); byId("all-labels").focus(); } });
  more.textContent = hidden ? `Show all ${number(sorted.length)} labels: ${number(hidden)} are not shown` : `Show ${FIRST_LABELS} labels`;
  const legend = make("p", { class: "legend quiet small" }, ...data.splits.map((split, at) => make("span", {}, dot(at), ` ${split}`)), "Shares are of the label's images. A number leads to its pictures.");
  byId("label-table").replaceChildren(legend, make("div", { class: "card table" }, table), sorted.length > FIRST_LABELS ? more : "");
}
