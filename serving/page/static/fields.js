// One field of the form for each input of the model.

import { encodeFile } from "./protocol.js";

const [FOR, AGAINST] = ["255, 40, 0", "0, 90, 255"];
const TITLES = { image_bytes: "Photo", text: "Title and description" };

/** Makes the field of an input: an element with `read()` and `clear()`. */
export function makeField({ name, kind }) {
  const template = document.getElementById(`${kind === "image" ? "picture" : kind}-field`);
  const element = (template || document.getElementById("text-field")).content.firstElementChild.cloneNode(true);
  element.querySelector(".name").textContent = TITLES[name] || capitalize(name.replaceAll("_", " "));
  const control = element.querySelector("input, textarea");
  control.name = name;
  if (kind === "image") return makePicture(element, control, name);
  const read = kind === "number" ? () => (control.value === "" ? NaN : Number(control.value)) : () => control.value;
  return { name, kind, element, read: async () => read(), clear() {} };
}

function makePicture(element, control, name) {
  const [figure, image, canvas] = ["figure", "img", "canvas"].map((tag) => element.querySelector(tag));
  let file = null;
  const show = (chosen) => {
    URL.revokeObjectURL(image.src);
    file = chosen;
    figure.hidden = !file;
    canvas.width = canvas.height = 0;
    if (!file) return image.removeAttribute("src");
    image.src = URL.createObjectURL(file);
    image.alt = `The photo that is asked about: ${file.name}`;
    element.querySelector("figcaption").textContent = file.name;
  };
  control.addEventListener("change", () => show(control.files[0] || null));
  for (const kind of ["dragenter", "dragover"]) {
    element.addEventListener(kind, (event) => { event.preventDefault(); element.classList.add("over"); });
  }
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    if (event.dataTransfer.files[0]) show(event.dataTransfer.files[0]);
  });
  const read = async () => (file ? encodeFile(file) : "");
  return { name, kind: "image", element, read, clear: () => show(null), heat: (regions) => paint(canvas, image, regions) };
}

/** Lays a heat map over a photo: strong where a region speaks for the answer. */
function paint(canvas, image, regions) {
  if (!image.naturalWidth) return;
  [canvas.width, canvas.height] = [image.clientWidth, image.clientHeight];
  const small = new OffscreenCanvas(regions[0].length, regions.length);
  const pen = small.getContext("2d");
  const most = Math.max(...regions.flat().map(Math.abs), 1e-9);
  regions.forEach((row, y) => row.forEach((value, x) => {
    pen.fillStyle = `rgba(${value > 0 ? FOR : AGAINST}, ${0.65 * Math.abs(value) / most})`;
    pen.fillRect(x, y, 1, 1);
  }));
  canvas.getContext("2d").drawImage(small, 0, 0, canvas.width, canvas.height);
}

function capitalize(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
