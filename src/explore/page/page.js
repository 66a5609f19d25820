"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dialog = document.getElementById("unit");

/** An element with text or children. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A tile of a sheet, `zoom` times its size. */
function tile(layer, sheet, at, zoom) {
  const side = layer.side * zoom;
  const element = make("div", { class: "tile" });
  element.style.width = element.style.height = side + "px";
  if (at) {
    element.style.backgroundImage = `url("${encodeURIComponent(sheet.file)}")`;
    element.style.backgroundSize = `${sheet.width * zoom}px ${sheet.height * zoom}px`;
    element.style.backgroundPosition = `${-at[0] * zoom}px ${-at[1] * zoom}px`;
  }
  return element;
}

/** Seconds as h:mm:ss.mmm. */
function clock(seconds) {
  const milliseconds = Math.round(seconds * 1000);
  const pad = (n, digits) => String(n).padStart(digits, "0");
  const [h, m] = [Math.floor(milliseconds / 3600000), Math.floor(milliseconds / 60000) % 60];
  return `${h}:${pad(m, 2)}:${pad(Math.floor(milliseconds / 1000) % 60, 2)}.${pad(milliseconds % 1000, 3)}`;
}

/** What a unit's button is called for those who hear it. */
function label(layer, unit) {
  const strongest = unit.best.length ? `strongest activation ${unit.best[0].value.toPrecision(4)}` : "no activation";
  return `${layer.name}, unit ${unit.unit}, ${strongest}`;
}

const all = [];
for (const layer of data.layers) {
  const list = document.querySelector(`[data-layer="${CSS.escape(layer.name)}"]`);
  for (const sheet of layer.sheets) {
    for (const unit of sheet.units) {
      const zoom = Math.min(1, 64 / layer.side);
      const some = unit.best.length > 0;
      const button = make("button", { type: "button", "aria-label": label(layer, unit) },
        make("div", { class: "pair" }, ...[0, 1].map((side) => tile(layer, sheet, some && unit.tiles[0][side], zoom))),
        `${unit.unit}${some ? "" : " (never active)"}`);
      const index = all.push({ layer, sheet, unit, button }) - 1;
      button.addEventListener("click", () => open(index));
      button.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step && all[index + step]) {
          all[index + step].button.focus();
          event.preventDefault();
        }
      });
      list.append(make("li", {}, button));
    }
  }
}

let shown = 0;

function open(index) {
  shown = index;
  const { layer, sheet, unit } = all[index];
  const zoom = Math.max(1, Math.floor(160 / layer.side));
  const grid = (side) => make("div", { class: "grid" }, ...Array.from({ length: 9 }, (_, k) =>
    tile(layer, sheet, k < unit.best.length && unit.tiles[k][side], zoom)));
  const figure = (side, text) => make("figure", {}, grid(side), make("figcaption", {}, text));
  const rows = unit.best.map((best, k) => make("tr", {},
    make("td", {}, String(k + 1)),
    make("td", {}, best.value.toPrecision(5)),
    make("td", { class: "text" }, data.entries[best.entry].name),
    make("td", {}, data.entries[best.entry].video ? String(best.frame + 1) : ""),
    make("td", {}, best.seconds === null ? "" : clock(best.seconds)),
    make("td", {}, `${best.x}, ${best.y}`)));
  const head = ["", "activation", "source", "frame", "time", "at x, y"].map((text) =>
    make("th", text === "source" ? { class: "text" } : {}, text));
  const field = `sees ${unit.field} x ${unit.field} pixels`;
  dialog.replaceChildren(
    make("h3", { id: "unit-title" }, `${layer.name}, unit ${unit.unit} (${field})`),
    rows.length
      ? make("div", { class: "both" }, figure(0, "what excites it most"), figure(1, "projected down to the pixels"))
      : make("p", {}, "No picture made it active: it is dead for this footage."),
    rows.length ? make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)) : "",
    make("div", { class: "bar-of-buttons" }, ...[["Previous", -1], ["Next", 1]].map(([text, step]) => {
      const button = make("button", { type: "button" }, text);
      button.disabled = !all[index + step];
      button.addEventListener("click", () => open(index + step));
      return button;
    }), closing()));
  if (!dialog.open) dialog.showModal();
  history.replaceState(null, "", `#${encodeURIComponent(layer.name)}/${unit.unit}`);
}

function closing() {
  const button = make("button", { type: "button" }, "Close");
  button.addEventListener("click", () => dialog.close());
  return button;
}

dialog.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step && all[shown + step]) open(shown + step);
});
dialog.addEventListener("close", () => {
  history.replaceState(null, "", `#${encodeURIComponent(all[shown].layer.name)}`);
  all[shown].button.focus();
});

/** A link with #layer/unit opens the unit. */
function follow() {
  const [name, number] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const index = all.findIndex(({ layer, unit }) => layer.name === name && String(unit.unit) === number);
  if (index >= 0) open(index);
}
addEventListener("hashchange", follow);
follow();
