// What every page does: light or dark, tables that sort, lists that can be filtered, words that light
// up while they are heard.

const choices = ["auto", "light", "dark"];
const names = { auto: "as the system", light: "light", dark: "dark" };

function stored() {
  try {
    return localStorage.getItem("unrolled-theme") || "auto";
  } catch {
    return "auto"; // a browser may refuse storage to files
  }
}

function show(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  const button = document.querySelector("#theme");
  if (button) button.querySelector("span").textContent = names[choice];
  document.dispatchEvent(new CustomEvent("themechange"));
}

function switchTheme() {
  let choice = stored();
  show(choice);
  document.querySelector("#theme")?.addEventListener("click", () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length];
    try {
      localStorage.setItem("unrolled-theme", choice);
    } catch {
      // the choice then holds for this page alone
    }
    show(choice);
  });
}

function keyOf(row, column) {
  const cell = row.cells[column];
  const value = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  const number = Number(value);
  return value === "" ? null : Number.isNaN(number) ? value.toLowerCase() : number;
}

function compare(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null); // always last
  if (typeof one === typeof other) return sign * (one < other ? -1 : one > other ? 1 : 0);
  return typeof one === "number" ? -1 : 1;
}

function sortable(table) {
  const body = table.tBodies[0];
  const told = table.parentElement.parentElement.querySelector("[data-sorted]");
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = header.querySelector("button");
    button?.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row, place) => [keyOf(row, column), place, row]);
      rows.sort((a, b) => compare(a[0], b[0], up ? 1 : -1) || a[1] - b[1]);
      body.append(...rows.map(([, , row]) => row));
      const direction = up ? "ascending" : "descending";
      if (told) told.textContent = `Sorted by ${button.textContent.trim()}, ${direction}.`;
    });
  });
}

// Whether a system, or any, has answered the item of this card rightly ("yes") or not ("no").
function graded(card, wanted, system) {
  if (wanted === "any") return true;
  return [...card.querySelectorAll(`[data-right="${wanted}"]`)].some((said) =>
    !system || [...said.querySelectorAll("[data-system]")].some((one) => one.dataset.system === system));
}

function filterable(list) {
  const text = list.querySelector("input[type=search]");
  const kind = list.querySelector("select");
  const grade = list.querySelector("[data-grade]");
  const by = list.querySelector("[data-by]");
  const boxes = [...list.querySelectorAll("input[type=checkbox]")];
  const cards = [...list.querySelectorAll("[data-card]")];
  const told = list.querySelector("[data-count]");
  const texts = cards.map((card) => card.textContent.toLowerCase());
  const refresh = () => {
    const words = (text?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    cards.forEach((card, place) => {
      const fits =
        words.every((word) => texts[place].includes(word)) &&
        (!kind || kind.value === "all" || card.dataset.kinds.split(" ").includes(kind.value)) &&
        graded(card, grade?.value ?? "any", by?.value ?? "");
      card.hidden = !fits;
      shown += fits;
    });
    const off = new Set(boxes.filter((box) => !box.checked).map((box) => box.value));
    for (const answer of list.querySelectorAll("[data-system]"))
      answer.hidden = off.has(answer.dataset.system);
    for (const said of list.querySelectorAll(".answers > li")) {
      const systems = [...said.querySelectorAll("[data-system]")];
      said.hidden = systems.length > 0 && systems.every((one) => one.hidden);
    }
    if (told) told.textContent = `${shown} of ${cards.length} shown`;
  };
  for (const input of [text, kind, grade, by, ...boxes]) input?.addEventListener("input", refresh);
  refresh();
}

// While a sound plays, what is heard lights up in every line of words; a word in the first line
// plays that word alone.
function followable(card) {
  const sound = card.querySelector("audio");
  const parts = [...card.querySelectorAll("[data-begin]")].map((part) =>
    [part, Number(part.dataset.begin), Number(part.dataset.end)]);
  if (!sound || !parts.length) return;
  let until = Infinity;
  const follow = () => {
    const now = sound.currentTime;
    if (now >= until) sound.pause();
    const heard = !sound.paused;
    for (const [part, begin, end] of parts) part.classList.toggle("now", heard && begin <= now && now < end);
    if (heard) requestAnimationFrame(follow);
    else until = Infinity;
  };
  sound.addEventListener("play", follow);
  sound.addEventListener("pause", follow);
  for (const [part, begin, end] of parts)
    if (part.tagName === "BUTTON")
      part.addEventListener("click", () => {
        const start = () => {
          sound.currentTime = begin;
          until = end;
          sound.play();
        };
        if (sound.readyState > 0) start();
        else {
          sound.addEventListener("loadedmetadata", start, { once: true });
          sound.load();
        }
      });
}

// A link to a row, a claim or a method that is folded in opens it.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
}

switchTheme();
document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("[data-filter]").forEach(filterable);
document.querySelectorAll("[data-heard]").forEach(followable);
addEventListener("hashchange", openTarget);
openTarget();
