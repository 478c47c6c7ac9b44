// The REST protocol of TensorFlow Serving, as a browser speaks it.

/** Asks a signature about one product; returns the outputs of its row by name. */
export async function ask(model, signature, product) {
  const inputs = Object.fromEntries(Object.entries(product).map(([name, value]) => [name, [value]]));
  const outputs = await post(`/v1/models/${encodeURIComponent(model)}:predict`, { signature_name: signature, inputs });
  return Object.fromEntries(Object.entries(outputs).map(([name, rows]) => [name, rows[0]]));
}

/** Returns what a model says of itself: its inputs, their kinds, its classes. */
export async function askForCard(model) {
  const outputs = await post(`/v1/models/${encodeURIComponent(model)}:predict`, { signature_name: "health", inputs: { probe: [""] } });
  return JSON.parse(outputs.card[0]);
}

/** Returns the names of the models that are served. */
export async function askForModels() {
  const response = await fetch("/page/models");
  if (!response.ok) throw new Error(`The server does not say what it serves (${response.status}).`);
  return (await response.json()).models;
}

/** Returns a file as the protocol writes bytes. */
export function encodeFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ b64: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}

async function post(path, request) {
  const response = await send(path, write(request));
  const told = await response.json().catch(() => ({}));
  if (!response.ok || !told.outputs) throw new Error(told.error || `The server answered ${response.status}.`);
  return told.outputs;
}

async function send(path, body) {
  try {
    return await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  } catch (error) {
    throw new Error("The server cannot be reached. Is it still running?");
  }
}

/** JSON with NaN, which stands for an absent number, and which JSON.stringify writes as null. */
function write(value) {
  if (Number.isNaN(value)) return "NaN";
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}:${write(of)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
