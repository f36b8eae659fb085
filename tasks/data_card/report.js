// Filters, theme and keys; then everything is drawn.

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

byId("split").addEventListener("change", (event) => { state.split = event.target.value === "" ? -1 : Number(event.target.value); changed(); });
byId("search").addEventListener("input", (event) => { state.search = event.target.value.trim().toLowerCase(); changed(); });
byId("filters").addEventListener("submit", (event) => { event.preventDefault(); byId("pictures").scrollIntoView(); });
byId("filters").addEventListener("reset", () => { Object.assign(state, { split: -1, search: "", only: null }); setTimeout(() => { changed(); byId("search").focus(); }); });
byId("theme").addEventListener("change", (event) => { show(event.target.value); remembered(event.target.value); });
byId("show-picked").addEventListener("click", showPicked);
byId("viewer").addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" && event.key === " ") return;
  const button = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  if (button && !byId(button).disabled) { event.preventDefault(); byId(button).click(); }
});
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

new IntersectionObserver(([header]) => { document.querySelector(".to-top").hidden = header.isIntersecting; }).observe(document.querySelector("header"));
const chosen = remembered();
if (chosen === "light" || chosen === "dark") show(chosen);
buildExplorer();
listeners.push(() => { byId("reset").hidden = state.split < 0 && !state.search && !state.only; state.visible = PAGE; });
listeners.push(drawExplorer, drawLabels, drawCharts, () => document.querySelectorAll("[data-problem]").forEach(drawCases));
describeBalance();
drawShares();
state.visible = PAGE;
changed();
