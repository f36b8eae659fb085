// Histograms, the chart of sizes, and counts by name: each bar, point and name leads to its pictures.

const LOG_FROM = 60; // times the median of the bars: then heights are on a log scale
const SIZE_RANGE = 8; // the largest by the smallest side: then sizes are on log axes

function histogram(chart) {
  const [counts, summary] = chart.counts[state.split] ?? chart.counts[-1];
  const present = counts.filter(Boolean).sort((a, b) => a - b);
  const most = present.at(-1) ?? 0;
  const isLog = present.length > 2 && most > LOG_FROM * present[present.length >> 1];
  const height = (count) => (count ? Math.max(2.5, 100 * (isLog ? Math.log1p(count) / Math.log1p(most) : count / most)) : 0);
  const at = metricAt.get(chart.key);
  const last = counts.length - 1;
  const buttons = counts.map((count, bar) => {
    const beyond = (bar === 0 && chart.cut[0]) || (bar === last && chart.cut[1]);
    const name = `${chart.title.split(",")[0]} ${chart.names[bar]}`;
    const test = (picture) => {
      const value = picture[VALUES][at];
      return value !== null && value >= chart.edges[bar] && (value < chart.edges[bar + 1] || bar === last);
    };
    const fill = make("span", { class: beyond ? "fill beyond" : "fill" });
    fill.style.height = `${height(count)}%`;
    return make("button", {
      type: "button", class: "column", disabled: count === 0, title: `${chart.names[bar]}: ${plural(count, "image")}`,
      "aria-label": `${name}: ${plural(count, "image")}`, onclick: () => choose(name, test, count, `chart-${chart.key}`),
    }, fill);
  });
  const columns = make("div", { class: "columns", role: "group", "aria-label": `${chart.title}. ${summary}` }, ...buttons);
  roving(columns, buttons.filter((button) => !button.disabled));
  const ticks = make("div", { class: "ticks", "aria-hidden": "true" });
  for (const [bar, text] of Object.entries(chart.ticks)) {
    const tick = make("span", { text: Number(bar) === last && chart.cut[1] ? `≥ ${text}` : text });
    tick.style.left = `${(100 * (Number(bar) + 0.5)) / counts.length}%`;
    if (Number(bar) === 0) tick.className = "first";
    if (Number(bar) === last && last > 0) tick.className = "last";
    ticks.append(tick);
  }
  const cut = chart.cut[0] + chart.cut[1];
  const scale = `${chart.scale} scale${isLog ? ", heights log" : ", heights linear"}${cut ? `; striped: all beyond` : ""}`;
  return make("div", { class: `chart card ${state.split < 0 ? "" : tone(state.split)}`, id: `chart-${chart.key}`, tabindex: "-1" },
    make("h3", { text: chart.title }),
    make("p", { class: "quiet small", text: summary[0].toUpperCase() + summary.slice(1) + "." }),
    counts.length > 1 ? make("div", { class: "plot" }, make("span", { class: "top", text: number(most), "aria-hidden": "true" }), columns, ticks) : null,
    counts.length > 1 ? make("p", { class: "scale", text: scale }) : null);
}

function sizesChart() {
  const sides = data.sizes.flatMap(([width, height]) => [width, height]);
  const [least, most] = [Math.min(...sides), Math.max(...sides)];
  const isLog = most / Math.max(1, least) >= SIZE_RANGE;
  const [W, H, left, bottom, gap] = [340, 232, 44, 26, 12];
  const [low, high] = isLog ? [least / 1.15, most * 1.15] : [Math.max(0, least - (most - least) * 0.08 - 1), most + (most - least) * 0.08 + 1];
  const place = (value) => (isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  const x = (value) => left + place(value) * (W - left - gap);
  const y = (value) => H - bottom - place(value) * (H - bottom - gap);
  const largest = Math.max(...data.sizes.map(([, , count]) => count));
  const steps = isLog ? [1, 2, 5].flatMap((digit) => [1, 10, 100, 1e3, 1e4, 1e5].map((power) => digit * power)).sort((a, b) => a - b)
    : Array.from({ length: 5 }, (_, step) => Math.round(low + ((step + 0.5) * (high - low)) / 5));
  let marks = steps.filter((step) => step > low && step < high);
  while (marks.length > 6) marks = marks.filter((_, at) => at % 2 === 0);
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "group", "aria-label": `Width and height, ${isLog ? "log" : "linear"} axes` });
  for (const mark of marks) {
    svg.append(make("line", { class: "grid", x1: x(mark), x2: x(mark), y1: gap, y2: H - bottom }), make("line", { class: "grid", x1: left, x2: W - gap, y1: y(mark), y2: y(mark) }));
    svg.append(make("text", { x: x(mark), y: H - 9, "text-anchor": "middle", text: number(mark) }), make("text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end", text: number(mark) }));
  }
  svg.append(make("line", { class: "diagonal", x1: x(low), y1: y(low), x2: x(high), y2: y(high) }));
  const [width, height] = [metricAt.get("width"), metricAt.get("height")];
  const points = [...data.sizes].sort((a, b) => b[2] - a[2]).map(([wide, high, count]) => {
    const name = `${number(wide)} × ${number(high)} px`;
    const test = (picture) => picture[VALUES][width] === wide && picture[VALUES][height] === high;
    const go = () => choose(`Size ${name}`, test, count, "chart-sizes", -1);
    const point = make("circle", {
      class: "point", cx: x(wide).toFixed(1), cy: y(high).toFixed(1), r: (3 + 9 * Math.sqrt((count - 1) / Math.max(1, largest))).toFixed(1),
      role: "button", "aria-label": `${name}: ${plural(count, "image")}`, onclick: go,
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); } },
    }, make("title", { text: `${name}: ${plural(count, "image")}` }));
    return point;
  });
  svg.append(...points);
  roving(svg, points);
  const omitted = data.omittedSizes ? ` ${plural(data.omittedSizes, "image")} of rarer sizes are not drawn.` : "";
  return make("div", { class: "chart card", id: "chart-sizes", tabindex: "-1" }, make("h3", { text: "Width by height, in pixels" }),
    make("p", { class: "quiet small", text: `${plural(data.sizes.length, "size")} of all splits; larger points are more images.${omitted}` }),
    make("div", { class: "plot" }, svg), make("p", { class: "scale", text: `both axes ${isLog ? "log" : "linear"}; dashed: square` }));
}

const categoryTests = {
  format: (name) => (picture) => isWritten(picture) && (picture[FORMAT] || "unknown") === name,
  colour: (name) => (picture, at) => isWritten(picture) && byId(`p${at}`) !== null && Boolean(picture[GREY]) === (name === "grey"),
  camera: (name) => (picture, at) => isWritten(picture) && byId(`p${at}`) !== null && (picture[CAMERA] || "not recorded") === name,
  box: (name) => (picture) => picture[BOXES].some(([left, top, right, bottom]) => {
    const area = (right - left) * (bottom - top);
    return name === (area < 0.01 ? "small" : area < 1 / 9 ? "medium" : "large");
  }),
};

function categoryChart([key, title, note, counts]) {
  const most = Math.max(...counts.map(([, count]) => count), 1);
  const shown = counts.slice(0, 12);
  const items = shown.map(([name, count]) => {
    const fill = make("span", { class: "fill" });
    fill.style.width = `${Math.max(1, (100 * count) / most)}%`;
    const total = key === "box" ? null : count;
    return make("li", {}, make("button", { type: "button", class: "row", disabled: count === 0, onclick: () => choose(`${title.split(",")[0]}: ${name}`, categoryTests[key](name), total, `chart-${key}`, -1) },
      make("span", { class: "name", text: name }), make("span", { class: "number", text: number(count) }), make("span", { class: "track" }, fill)));
  });
  const rest = counts.length - shown.length;
  return make("div", { class: "chart card", id: `chart-${key}`, tabindex: "-1" }, make("h3", { text: title }), make("p", { class: "quiet small", text: note }),
    make("ul", { class: "names" }, ...items), rest > 0 ? make("p", { class: "quiet small", text: `${number(rest)} more` }) : null);
}

function drawCharts() {
  const parts = [...data.charts].map(histogram);
  if (data.sizes.length > 1) parts.splice(3, 0, sizesChart());
  parts.push(...data.categories.map(categoryChart));
  byId("charts").replaceChildren(...parts);
}
