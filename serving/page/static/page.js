// A form of the model's inputs, its answer, and what decided it.

import { showAnswer, showProblem, showReasons } from "./answer.js";
import { makeField } from "./fields.js";
import { ask, askForCard, askForModels } from "./protocol.js";

const form = document.getElementById("product");
const answer = document.getElementById("answer");
const chooser = document.getElementById("model");
let fields = [];

async function start() {
  const models = await askForModels();
  chooser.replaceChildren(...models.map((name) => new Option(name, name)));
  document.getElementById("which").hidden = models.length < 2;
  await open();
}

async function open() {
  const card = await askForCard(chooser.value);
  document.getElementById("served").textContent = chooser.value;
  fields = card.inputs.map(makeField);
  document.getElementById("fields").replaceChildren(...fields.map((field) => field.element));
  answer.replaceChildren();
}

async function classify() {
  const values = await Promise.all(fields.map((field) => field.read()));
  const product = Object.fromEntries(fields.map((field, index) => [field.name, values[index]]));
  showAnswer(answer, await ask(chooser.value, "serving_default", product));
  showReasons(answer, fields, await ask(chooser.value, "explain", product));
}

/** Runs what may fail; the reader sees why. */
async function attempt(work) {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  answer.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    showProblem(answer, error.message);
  }
  answer.removeAttribute("aria-busy");
  button.disabled = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  answer.replaceChildren();
  attempt(classify);
});
form.addEventListener("reset", () => {
  fields.forEach((field) => field.clear());
  answer.replaceChildren();
});
chooser.addEventListener("change", () => attempt(open));
attempt(start);
