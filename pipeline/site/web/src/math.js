// Sets the equations of a page, which stand there in TeX, as MathML: browsers and screen readers know it.
import temml from "temml";

for (const place of document.querySelectorAll(".equation")) {
  const code = place.querySelector("code");
  const set = document.createElement("div");
  temml.render(code.textContent, set, { displayMode: true, throwOnError: true, annotate: true });
  place.replaceChildren(...set.childNodes);
}
