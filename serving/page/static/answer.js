// What the model answered, and why.

const MOST_CLASSES = 5;

/** Shows label, status and the likeliest classes. */
export function showAnswer(section, { label, confidence, scores, labels, status }) {
  section.replaceChildren();
  add(section, "p", { className: "label", textContent: label.replaceAll(" > ", " › ") });
  add(section, "p", { className: "soft", textContent: `${percent(confidence)} sure` });
  if (status && status !== "ok") showProblem(section, `Answered without what cannot be read: ${status}.`);
  const order = scores.map((_, index) => index).sort((a, b) => scores[b] - scores[a]).slice(0, MOST_CLASSES);
  addTable(section, "Probabilities", order.map((index) => [labels[index], scores[index], percent(scores[index])]));
}

/** Shows which inputs, words and regions decided. */
export function showReasons(section, fields, found) {
  const total = found.shares.reduce((sum, share) => sum + Math.abs(share), 0) || 1;
  const titles = Object.fromEntries(fields.map((field) => [field.name, field.element.querySelector(".name").textContent]));
  addTable(section, "What decided", found.inputs.map((name, index) => {
    const share = found.shares[index] / total;
    return [titles[name] || name, Math.max(share, 0), percent(share)];
  }));
  for (const { name, heat } of fields) {
    if (heat && found[`${name}_regions`]) {
      heat(found[`${name}_regions`]);
      add(section, "p", { className: "soft", textContent: "In the photo and in the words, red speaks for the answer and blue against it." });
    }
    if (found[`${name}_words`]) showWords(section, titles[name], found[`${name}_words`], found[`${name}_word_scores`]);
  }
}

/** Shows what went wrong. */
export function showProblem(section, message) {
  add(section, "p", { className: "problem", textContent: message }).setAttribute("role", "alert");
}

function showWords(section, title, words, scores) {
  const shown = words.map((word, index) => [word, scores[index]]).filter(([word]) => word);
  if (!shown.length) return;
  const most = Math.max(...shown.map(([, score]) => Math.abs(score)), 1e-9);
  const decisive = [...shown].sort((a, b) => b[1] - a[1]).slice(0, 3).filter(([, score]) => score > 0).map(([word]) => word);
  add(section, "h2", { textContent: title });
  const text = add(section, "p", { className: "words" });
  for (const [word, score] of shown) {
    const mark = add(text, "mark", { textContent: word, title: `${score >= 0 ? "for" : "against"}: ${(score / most).toFixed(2)}` });
    mark.style.setProperty("background-color", `rgba(var(${score > 0 ? "--for" : "--against"}), ${0.55 * Math.abs(score) / most})`);
    mark.classList.toggle("decisive", decisive.includes(word));
    text.append(" ");
  }
  if (decisive.length) {
    add(section, "p", { className: "soft", textContent: `Most of all for the answer: ${decisive.join(", ")}.` });
  }
}

function addTable(section, caption, rows) {
  const table = add(section, "table");
  add(table, "caption", { textContent: caption });
  const body = add(table, "tbody");
  for (const [name, share, told] of rows) {
    const row = add(body, "tr");
    add(row, "th", { scope: "row", textContent: name });
    add(add(row, "td", { className: "bar" }), "meter", { max: 1, value: share }).setAttribute("aria-hidden", "true");
    add(row, "td", { textContent: told });
  }
}

function percent(share) {
  return `${(100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`;
}

function add(parent, tag, properties = {}) {
  return parent.appendChild(Object.assign(document.createElement(tag), properties));
}
