// Draws the Vega-Lite charts whose JSON stands in the page, when they come into view.
import embed from "vega-embed";

const palettes = {
  // Okabe and Ito's colours, darkened or lightened until each stands out from its background.
  light: ["#0072b2", "#c04e00", "#007d5a", "#a8487f", "#8a6100", "#5b4fa3", "#2b2b2b", "#757575"],
  dark: ["#56b4e9", "#ff9248", "#2fc79a", "#e6a0c9", "#f0c14b", "#b3a7f5", "#efefef", "#a3a3a3"],
};

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function config(width) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const soft = style.getPropertyValue("--soft").trim();
  const line = style.getPropertyValue("--line").trim();
  const palette = palettes[isDark() ? "dark" : "light"];
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: { labelColor: soft, titleColor: ink, gridColor: line, domainColor: soft, tickColor: soft,
            labelFontSize: 12, titleFontSize: 13, titleFontWeight: "normal", labelOverlap: true },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, labelLimit: width - 40,
              orient: "bottom", columns: Math.max(1, Math.floor(width / 270)), symbolStrokeWidth: 2,
              symbolSize: 70 },
    title: { color: ink, fontSize: 13, fontWeight: "normal", anchor: "start" },
    header: { labelColor: ink, titleColor: ink },
    text: { color: ink, fontSize: 12 },
    range: { category: palette },
    mark: { color: palette[0] },
    point: { filled: true, size: 60 },
    rule: { color: palette[0] },
    aria: false, // the figure has a caption, and its numbers stand in a table
  };
}

// One picture with a name: its marks by themselves would be hundreds of nameless ones.
function describe(picture, title) {
  for (const mark of picture.querySelectorAll("[role], [aria-roledescription]"))
    for (const name of ["role", "aria-roledescription", "aria-label"]) mark.removeAttribute(name);
  picture.setAttribute("role", "img");
  picture.removeAttribute("aria-roledescription");
  picture.setAttribute("aria-label", title);
}

// What has a slider of steps can be played; a second press stops it.
function playable(figure, slider) {
  figure.querySelector(".play")?.remove();
  const button = document.createElement("button");
  button.type = "button";
  button.className = "play";
  button.textContent = "Play";
  let playing = 0;
  const stop = () => {
    clearInterval(playing);
    playing = 0;
    button.textContent = "Play";
  };
  button.addEventListener("click", () => {
    if (playing) return stop();
    let step = Number(slider.value) < Number(slider.max) ? Number(slider.value) : 0;
    button.textContent = "Stop";
    playing = setInterval(() => {
      figure.view.signal("until", step).runAsync();
      if (step++ >= Number(slider.max)) stop();
    }, 80);
  });
  slider.closest(".vega-bindings").append(button);
}

async function draw(figure) {
  const place = figure.querySelector(".chart");
  const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  for (const layer of spec.layer ?? [])
    if (layer.mark.style === "truth") Object.assign(layer.mark, { color: ink, strokeWidth: 3 });
  const before = figure.view;
  figure.dataset.drawn = "begun";
  const result = await embed(place, spec, {
    actions: false, renderer: "svg", tooltip: { theme: isDark() ? "dark" : "light" },
    config: config(place.clientWidth),
  });
  before?.finalize();
  figure.view = result.view;
  const slider = place.querySelector("input[type='range']");
  if (slider) playable(figure, slider);
  describe(place.querySelector("svg.marks"), figure.dataset.title);
  figure.dataset.drawn = "yes";
}

const figures = [...document.querySelectorAll("figure.vega")];
const failed = (figure) => (error) => {
  figure.dataset.drawn = "failed";
  console.error(error);
};

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries)
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      draw(entry.target).catch(failed(entry.target));
    }
}, { rootMargin: "600px" });
figures.forEach((figure) => seen.observe(figure));

function again() {
  for (const figure of figures)
    if (figure.dataset.drawn) draw(figure).catch(failed(figure));
}

document.addEventListener("themechange", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
addEventListener("beforeprint", () => figures.forEach((figure) => draw(figure).catch(failed(figure))));
