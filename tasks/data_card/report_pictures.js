// Pictures: tiles, the explorer that searches and sorts them, the cases of problems, the large view, and the list of picked ones.

const PAGE = 60;
const SAMPLES = 240; // shown at first over all labels
const CASES = matchMedia("(max-width: 40rem)").matches ? 3 : 6; // at first
const BOX_COLOURS = ["#ffd400", "#00d5ff", "#ff5fa2", "#7dff6a", "#ff8c1a", "#c79bff"];
let row = [];

const uri = (at) => byId(`p${at}`)?.src;
const placeName = (picture) => `${data.splits[picture[SPLIT]]}/${picture[PATH]}`;

function boxesOver(picture, image) {
  if (!picture[BOXES].length) return null;
  const svg = make("svg", { class: "boxes", viewBox: `0 0 ${image.width} ${image.height}`, preserveAspectRatio: "xMidYMid meet", "aria-hidden": "true" });
  for (const [left, top, right, bottom, label] of picture[BOXES]) {
    const place = { x: left * image.width, y: top * image.height, width: Math.max(0.5, (right - left) * image.width), height: Math.max(0.5, (bottom - top) * image.height) };
    svg.append(make("rect", { ...place, class: "under" }), make("rect", { ...place, stroke: BOX_COLOURS[label % BOX_COLOURS.length] }));
  }
  return svg;
}

function frame(at) {
  const stored = byId(`p${at}`);
  const picture = data.pictures[at];
  if (!stored) return make("span", { class: "frame" }, make("span", { class: "quiet", text: "no picture" }));
  const size = { width: Number(stored.getAttribute("width")), height: Number(stored.getAttribute("height")) };
  const image = make("img", { src: stored.src, alt: stored.alt, ...size, loading: "lazy", decoding: "async", class: Math.max(size.width, size.height) < 96 ? "small-picture" : null });
  return make("span", { class: "frame" }, image, boxesOver(picture, size));
}

function pick(at, on) {
  if (on) state.picked.add(at); else state.picked.delete(at);
  for (const box of document.querySelectorAll(`[data-pick="${at}"]`)) box.checked = on;
  const button = byId("show-picked");
  button.hidden = state.picked.size === 0;
  button.textContent = `${number(state.picked.size)} picked`;
}

function pickBox(at, text) {
  const picture = data.pictures[at];
  const box = make("input", { type: "checkbox", "data-pick": at, "aria-label": `Pick ${nameOf(picture)}`, onchange: (event) => pick(at, event.target.checked) });
  box.checked = state.picked.has(at);
  return make("label", { class: "pick" }, box, text ? ` ${text}` : null);
}

function tile(at, among, note, withLabel = true) {
  const picture = data.pictures[at];
  const open = make("button", { type: "button", class: "open", "aria-label": `Open ${nameOf(picture)}, ${labelNames.get(picture[LABEL])}, ${data.splits[picture[SPLIT]]}`, onclick: () => view(at, among) }, frame(at));
  return make("figure", { "data-picture": at }, open, isWritten(picture) ? pickBox(at) : null,
    make("figcaption", { title: picture[PATH] }, dot(picture[SPLIT]), ` ${data.splits[picture[SPLIT]]}${withLabel ? `, ${labelNames.get(picture[LABEL])}` : ""}`, make("span", { class: "name", text: nameOf(picture) }), note ? make("span", { class: "value", text: note }) : null));
}

// Cases of problems.

function drawCases(holder) {
  const problem = data.problems[Number(holder.dataset.problem)];
  const fits = ([, shown, label]) => (shown.length ? shown.some((at) => fitsFilters(at)) : label === null || labelNames.get(label).toLowerCase().includes(state.search));
  const cases = problem.cases.filter(fits);
  const isGroup = problem.cases.some(([, shown]) => shown.length > 1);
  const all = holder.dataset.all === "true";
  const most = problem.cases.some(([, shown]) => shown.length) ? (isGroup ? CASES : 2 * CASES) : 12;
  const shown = all ? cases : cases.slice(0, most);
  const among = shown.flatMap(([, pictures]) => pictures);
  const items = shown.map(([note, pictures, label]) => make("li", { class: pictures.length > 1 ? "case group" : pictures.length ? "case" : "case words" },
    make("p", {}, label === null ? note : make("button", { type: "button", class: "link", text: note, onclick: () => choose(labelNames.get(label), (picture) => picture[LABEL] === label && isWritten(picture), totalOf(data.labels.find(([id]) => id === label)), problem.key, -1) })),
    pictures.length ? make("div", { class: "tiles" }, ...pictures.map((at) => tile(at, among))) : null));
  const buttons = [];
  if (cases.length > most) buttons.push(make("button", { type: "button", text: all ? "Show fewer" : `Show all ${number(cases.length)}`, onclick: () => { holder.dataset.all = String(!all); drawCases(holder); } }));
  const members = new Set(problem.cases.flatMap(([, pictures]) => pictures));
  if (members.size) buttons.push(make("button", { type: "button", text: "See them among the pictures", onclick: () => choose(problem.title, (_, at) => members.has(at), isGroup ? null : problem.count, problem.key, -1) }));
  const picks = problem.key === "mislabels" ? cases.map(([, pictures]) => pictures.slice(0, 1)) : /^(exact|near)/.test(problem.key) ? cases.map(([, pictures]) => pictures.slice(1)) : problem.key === "shortcuts" || problem.key === "rejected" ? [] : cases.map(([, pictures]) => pictures);
  if (picks.flat().length) buttons.push(make("button", { type: "button", text: /^(exact|near)/.test(problem.key) ? "Pick all but the first of each group" : "Pick them all", onclick: () => picks.flat().forEach((at) => pick(at, true)) }));
  holder.replaceChildren(make("ul", {}, ...items), cases.length ? "" : make("p", { class: "quiet", text: "None of these matches the search." }), make("p", { class: "buttons" }, ...buttons));
}

function fitsFilters(at) {
  const only = state.only;
  state.only = null;
  const fits = matches(at);
  state.only = only;
  return fits;
}

// The explorer.

function sortedPictures() {
  const found = data.pictures.map((_, at) => at).filter((at) => matches(at) && (isWritten(data.pictures[at]) || state.only || state.search));
  const metric = metricAt.get(state.sort);
  const sign = state.down ? -1 : 1;
  if (state.sort === "random") return found.sort((a, b) => state.order[a] - state.order[b]);
  if (state.sort === "name") return found.sort((a, b) => sign * nameOf(data.pictures[a]).localeCompare(nameOf(data.pictures[b]), "en", { numeric: true }));
  if (metric === undefined) return state.down ? found.reverse() : found;
  const value = (at) => data.pictures[at][VALUES][metric];
  const known = found.filter((at) => value(at) !== null);
  return [...known.sort((a, b) => sign * (value(a) - value(b)) || a - b), ...found.filter((at) => value(at) === null)];
}

// At most so many of a list, at even distances.
function spread(list, most) {
  const count = Math.min(list.length, most);
  return Array.from({ length: count }, (_, at) => list[Math.floor(((2 * at + 1) * list.length) / (2 * count))]);
}

function shuffle() {
  state.order = data.pictures.map(() => Math.random());
  state.sort = "random";
  byId("sort").value = "random";
  state.visible = PAGE;
  drawExplorer();
}

const text = { brightness: (value) => value.toFixed(2), contrast: (value) => value.toFixed(2), aspect: (value) => `${value.toFixed(2)} : 1`, sharpness: (value) => value.toPrecision(2), bytes: (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`), width: (value) => `${number(value)} px`, height: (value) => `${number(value)} px`, boxes: (value) => number(value) };

function drawExplorer() {
  const found = sortedPictures();
  const byLabel = state.sort === "label" && !state.only && !state.search;
  const labels = new Set(found.map((at) => data.pictures[at][LABEL]));
  const each = byLabel ? Math.max(1, Math.min(12, Math.ceil(SAMPLES / Math.max(1, labels.size)))) : Infinity;
  const groups = new Map();
  if (byLabel) for (const at of found) groups.set(data.pictures[at][LABEL], [...(groups.get(data.pictures[at][LABEL]) ?? []), at]);
  const shown = byLabel ? [...groups.values()].flatMap((group) => spread(group, each)) : found;
  const first = shown.slice(0, state.visible);
  const metric = metricAt.get(state.sort);
  const holder = byId("tiles");
  const children = [];
  let label;
  for (const at of first) {
    const picture = data.pictures[at];
    if (byLabel && picture[LABEL] !== label) {
      label = picture[LABEL];
      const [id, name] = [label, labelNames.get(label)];
      const total = state.split < 0 ? totalOf(data.labels.find(([each]) => each === id)) : data.labels.find(([each]) => each === id)[2][state.split];
      children.push(make("h3", { class: "of-label" }, make("button", { type: "button", class: "link", text: name, onclick: () => choose(name, (other) => other[LABEL] === id && isWritten(other), total, "pictures") }), make("span", { class: "quiet small", text: ` ${number(Math.min(each, groups.get(id).length))} of ${number(total)}` })));
    }
    const value = metric === undefined ? null : picture[VALUES][metric];
    children.push(tile(at, shown, value === null ? null : text[state.sort](value), !byLabel));
  }
  holder.replaceChildren(...children);
  holder.classList.toggle("compact", byLabel && each <= 2);
  const total = state.only && !state.search ? state.only.total : null;
  const words = [found.length ? `${number(first.length)} of ${plural(found.length, "picture")} in this file` : "No picture in this file matches"];
  if (!found.length && data.images > data.pictures.filter(isWritten).length) words.push(`the data set has more images than this file has pictures: imagerecords locate ${quoted(place("").replace(/\/$/, "") || "OUT")} NAME finds any`);
  if (total !== null && total !== undefined && total > found.length) words.push(`the data set has ${number(total)} of them; the others are in the shards only`);
  if (byLabel && found.length > shown.length) words[0] = `${number(first.length)} of ${plural(found.length, "picture")} in this file: at most ${each} per label; choose a label for all of its own`;
  byId("found").textContent = `${words.join("; ")}.`;
  const more = byId("more");
  more.hidden = shown.length <= first.length;
  more.textContent = `${number(Math.min(PAGE, shown.length - first.length))} more`;
  byId("direction").textContent = state.down ? "Descending" : "Ascending";
  byId("direction").disabled = state.sort === "random";
  const chips = byId("chips");
  const back = state.only?.from && state.only.from !== "pictures" ? make("button", { type: "button", class: "chip", text: "↩ Back to where it was", onclick: () => { const from = byId(state.only.from); from.scrollIntoView({ block: "center" }); from.focus?.({ preventScroll: true }); } }) : "";
  chips.replaceChildren(...[state.only ? make("button", { type: "button", class: "chip on", "aria-label": `Remove the filter ${state.only.text}`, onclick: () => { state.only = null; changed(); byId("sort").focus(); } }, state.only.text, make("span", { "aria-hidden": "true", text: " ×" })) : "",
    state.split >= 0 ? make("button", { type: "button", class: "chip on", "aria-label": `Remove the filter ${data.splits[state.split]}`, onclick: () => { state.split = -1; byId("split").value = ""; changed(); byId("sort").focus(); } }, dot(state.split), ` ${data.splits[state.split]}`, make("span", { "aria-hidden": "true", text: " ×" })) : "", back].filter(Boolean));
}

function buildExplorer() {
  const options = [["label", "Label"], ["name", "File name"], ...data.metrics.map(([key, title]) => [key, title.split(",")[0]]), ["random", "Random"]];
  const sort = make("select", { id: "sort", autocomplete: "off", onchange: (event) => { if (event.target.value === "random") { shuffle(); return; } state.sort = event.target.value; state.visible = PAGE; drawExplorer(); } }, ...options.map(([value, title]) => make("option", { value, text: title })));
  byId("explorer").append(
    make("div", { class: "tools" }, make("div", { class: "field narrow" }, make("label", { for: "sort", text: "Sort by" }), sort),
      make("button", { type: "button", id: "direction", onclick: () => { state.down = !state.down; drawExplorer(); } }),
      make("button", { type: "button", id: "random", text: "Random", onclick: shuffle }),
      make("div", { id: "chips" })),
    make("p", { id: "found", class: "quiet small", "aria-live": "polite" }),
    make("div", { id: "tiles", class: "tiles" }),
    make("p", { class: "buttons" }, make("button", { type: "button", id: "more", onclick: () => { const last = byId("tiles").lastElementChild; state.visible += PAGE; drawExplorer(); last.nextElementSibling?.querySelector("button")?.focus(); } })));
  byId("store").hidden = true;
}

// The large view.

function words(metric, percentile) {
  const [, , low, high] = data.metrics[metric];
  const end = percentile <= 50 ? low : high;
  const rank = Math.min(percentile, 100 - percentile);
  return rank <= 1 ? `very ${end}` : rank <= 5 ? end : rank <= 20 ? `rather ${end}` : "ordinary";
}

function place(shard) {
  if (location.protocol !== "file:") return shard;
  const folder = decodeURIComponent(location.pathname.slice(0, location.pathname.lastIndexOf("/") + 1));
  return folder + shard;
}

const quoted = (word) => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function copied(term, value, code = true) {
  const button = make("button", { type: "button", class: "copy", text: "Copy", "aria-label": `Copy the ${term}`, onclick: () => copy(value, button) });
  return [make("dt", { text: term[0].toUpperCase() + term.slice(1) }), make("dd", {}, code ? make("code", { text: value }) : value, " ", button)];
}

function view(at, among) {
  row = among;
  const picture = data.pictures[at];
  const stored = byId(`p${at}`);
  const size = stored ? { width: Number(stored.getAttribute("width")), height: Number(stored.getAttribute("height")) } : null;
  const here = row.indexOf(at);
  const facts = [
    make("dt", { text: "Label" }), make("dd", { text: `${labelNames.get(picture[LABEL])} (${picture[LABEL]})` }),
    make("dt", { text: "Split" }), make("dd", {}, dot(picture[SPLIT]), ` ${data.splits[picture[SPLIT]]}`),
    ...copied("path", picture[PATH]),
  ];
  if (isWritten(picture)) {
    const command = `imagerecords show ${quoted(place(data.shards[picture[SHARD]]))} --record ${picture[RECORD]} --save picture.jpg`;
    facts.push(make("dt", { text: "Shard" }), make("dd", {}, make("code", { text: data.shards[picture[SHARD]] }), picture[RECORD] === null ? "" : `, record ${number(picture[RECORD])}`));
    if (picture[RECORD] !== null) facts.push(...copied("command", command));
  } else facts.push(make("dt", { text: "Rejected" }), make("dd", { text: picture[NOTE] }));
  if (picture[FORMAT]) facts.push(make("dt", { text: "Format" }), make("dd", { text: `${picture[FORMAT]}${stored ? (picture[GREY] ? ", grey" : ", colour") : ""}` }));
  if (picture[CAMERA]) facts.push(make("dt", { text: "Camera" }), make("dd", { text: picture[CAMERA] }));
  const measures = data.metrics.map(([key, title], metric) => {
    const [value, percentile] = [picture[VALUES][metric], picture[PERCENTILES][metric]];
    if (value === null) return null;
    const said = words(metric, percentile);
    const marker = make("span", { class: "marker" });
    marker.style.left = `${percentile}%`;
    return make("tr", {}, make("th", { scope: "row", class: "left", text: title.split(",")[0] }), make("td", { text: text[key](value) }),
      make("td", { class: "left" }, make("span", { class: said.startsWith("very") ? "said very" : "said", text: `${said},` }), " ", make("span", { class: "quiet small", text: `${percentile} % percentile` }), make("span", { class: "scale-bar", "aria-hidden": "true" }, marker)));
  });
  const labelsOfBoxes = [...new Set(picture[BOXES].map((box) => box[4]))];
  if (picture[BOXES].length) facts.push(make("dt", { text: "Boxes" }), make("dd", {}, `${picture[BOXES].length}: `, ...labelsOfBoxes.flatMap((id) => {
    const swatch = make("span", { class: "swatch" });
    swatch.style.background = BOX_COLOURS[id % BOX_COLOURS.length];
    return [swatch, ` ${labelNames.get(id) ?? id} × ${picture[BOXES].filter((box) => box[4] === id).length} `];
  })));
  const found = problemsOf[at].map((which) => make("li", {}, make("a", { href: `#${data.problems[which].key}`, text: data.problems[which].title, onclick: () => byId("viewer").close() })));
  const step = (to) => view(row[(to + row.length) % row.length], row);
  const viewer = byId("viewer");
  const image = size ? make("img", { src: stored.src, alt: stored.alt, ...size, class: Math.max(size.width, size.height) < 96 ? "small-picture" : null }) : make("span", { class: "quiet", text: "no picture" });
  viewer.replaceChildren(make("div", { class: "viewer" },
    make("div", { class: "stage" }, image, size ? boxesOver(picture, size) : null),
    make("div", { class: "details" },
      make("div", { class: "viewer-head" }, make("h2", { id: "viewer-title", text: nameOf(picture) }), make("button", { type: "button", class: "icon", "aria-label": "Close", text: "×", id: "close", onclick: () => viewer.close() })),
      make("p", { class: "buttons" }, make("button", { type: "button", id: "previous", "aria-label": "Previous picture", text: "←", disabled: row.length < 2, onclick: () => { step(here - 1); byId("previous").focus(); } }), make("button", { type: "button", id: "next", "aria-label": "Next picture", text: "→", disabled: row.length < 2, onclick: () => { step(here + 1); byId("next").focus(); } }), make("span", { class: "quiet small", text: `${number(here + 1)} of ${number(row.length)}` }), isWritten(picture) ? pickBox(at, "Pick") : null),
      found.length ? make("div", { class: "found" }, make("strong", { text: "Problems" }), make("ul", {}, ...found)) : null,
      make("dl", { class: "facts" }, ...facts),
      measures.some(Boolean) ? make("table", { class: "measures" }, make("caption", { class: "out", text: "Metrics" }), make("tbody", {}, ...measures)) : null,
      make("p", { class: "quiet small", text: "The picture is a thumbnail; the command writes the image as the shard has it." }))));
  if (!viewer.open) viewer.showModal();
}

// The list of picked pictures.

function showPicked() {
  const pickedNow = [...state.picked].sort((a, b) => a - b);
  const list = pickedNow.map((at) => placeName(data.pictures[at])).join("\n") + "\n";
  const dialog = byId("picked");
  const area = make("textarea", { id: "list", readonly: true, rows: Math.min(12, pickedNow.length + 1), spellcheck: "false", "aria-label": "Picked images, one per line" });
  area.value = list;
  const copyButton = make("button", { type: "button", class: "strong", text: "Copy the list", onclick: () => copy(list, copyButton) });
  const save = make("a", { class: "button", download: "picked.txt", href: URL.createObjectURL(new Blob([list], { type: "text/plain" })), text: "Save as picked.txt" });
  dialog.replaceChildren(
    make("div", { class: "viewer-head" }, make("h2", { id: "picked-title", text: plural(pickedNow.length, "picked image") }), make("button", { type: "button", class: "icon", "aria-label": "Close", text: "×", onclick: () => dialog.close() })),
    make("p", { text: "One image per line, as remove and build take it." }), area,
    make("p", { class: "buttons" }, copyButton, save, make("button", { type: "button", text: "Pick none", onclick: () => { pickedNow.forEach((at) => pick(at, false)); dialog.close(); byId("search").focus(); } })),
    make("dl", { class: "facts" }, ...copied("command to remove them", `imagerecords remove ${quoted(place("").replace(/\/$/, "") || "OUT")} --list picked.txt`), ...copied("option to leave them out of a build", "--exclude picked.txt")));
  dialog.showModal();
}
