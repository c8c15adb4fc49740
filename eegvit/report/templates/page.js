// What the page does beyond being read; without it everything is there, in the order of the ranks.
const make = (name, text, given = {}) => Object.assign(document.createElement(name), { textContent: text ?? "" }, given);

// Sort a table within each of its bodies by the column whose head was chosen.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("thead th[data-column]")];
  const value = (row, column) => row.querySelector(`[data-column="${CSS.escape(column)}"]`)?.dataset.value ?? "";
  const sort = (head) => {
    const column = head.dataset.column;
    const down = head.hasAttribute("aria-sort")
      ? head.getAttribute("aria-sort") === "ascending"
      : head.dataset.first === "descending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    for (const row of table.querySelectorAll("tr.details")) row.remove();
    for (const button of table.querySelectorAll("[aria-expanded]")) button.ariaExpanded = "false";
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.matches(".group, .mean"));
      rows.sort((one, two) => {
        const [a, b] = [value(one, column), value(two, column)];
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b;
        return down ? -order : order;
      });
      body.append(...rows);
    }
  };
  for (const head of heads) {
    const button = make("button", null, { type: "button" });
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
}

// Say where a frame goes on beyond its edge.
const look = (frame) => {
  const scroll = frame.querySelector(".scroll");
  const room = scroll.scrollWidth - scroll.clientWidth;
  frame.classList.toggle("before", scroll.scrollLeft > 4);
  frame.classList.toggle("after", room - scroll.scrollLeft > 4);
  const hint = frame.nextElementSibling;
  if (hint?.matches(".hint")) hint.hidden = room <= 4;
};
const watcher = new ResizeObserver((seen) => seen.forEach(({ target }) => look(target.closest(".frame"))));
for (const frame of document.querySelectorAll("div.frame")) {
  frame.after(make("p", "scroll sideways for more →", { className: "hint", hidden: true, ariaHidden: "true" }));
  const scroll = frame.querySelector(".scroll");
  scroll.addEventListener("scroll", () => look(frame), { passive: true });
  watcher.observe(scroll);
  if (scroll.firstElementChild) watcher.observe(scroll.firstElementChild);
}

// Choose rows and columns of the leaderboard.
const board = document.querySelector("table.board");
const tools = document.querySelector(".tools");
if (board && tools) {
  const rows = [...board.querySelectorAll("tr[data-model]")];
  const [text, use] = [tools.querySelector("input"), tools.querySelector("select")];
  const chosen = () => {
    const wanted = text.value.trim().toLowerCase().split(/\s+/);
    for (const row of board.querySelectorAll("tr.details")) row.remove();
    for (const button of board.querySelectorAll("[aria-expanded]")) button.ariaExpanded = "false";
    for (const body of board.tBodies) {
      const other = use.value !== "" && body.dataset.group !== use.value;
      for (const row of body.querySelectorAll("tr[data-model]")) {
        const said = row.dataset.text.toLowerCase();
        row.hidden = other || !wanted.every((part) => said.includes(part));
      }
      body.hidden = other || ![...body.rows].some((row) => row.dataset.model !== undefined && !row.hidden);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    tools.querySelector(".count").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
  };
  text.addEventListener("input", chosen);
  use.addEventListener("change", chosen);
  for (const body of board.tBodies) use.append(make("option", body.dataset.group));
  use.closest("label").hidden = board.tBodies.length < 2;

  const choices = tools.querySelector(".choices");
  const kept = ["rank", "model", "mean"];
  const away = new Set();
  for (const head of board.querySelectorAll("thead th[data-column]")) {
    const name = head.dataset.column;
    if (kept.includes(name)) continue;
    const box = make("input", null, { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      away[box.checked ? "delete" : "add"](name);
      for (const cell of board.querySelectorAll(`[data-column="${CSS.escape(name)}"]`)) cell.hidden = !box.checked;
      for (const cell of board.querySelectorAll("[data-spans]")) {
        cell.colSpan = Math.max(1, cell.dataset.spans.split(" ").filter((each) => !away.has(each)).length);
      }
    });
    const label = make("label", null);
    label.append(box, head.textContent);
    choices.append(label);
  }
  tools.hidden = false;

  // Open a row: the scores of each person, session and seed.
  const told = JSON.parse(document.querySelector("#scores").textContent);
  const open = (row, button) => {
    if (button.ariaExpanded === "true") {
      row.nextElementSibling.remove();
      button.ariaExpanded = "false";
      return;
    }
    button.ariaExpanded = "true";
    const { seeds, rows: scores } = told.models[row.dataset.model];
    const table = make("table");
    const head = table.createTHead().insertRow();
    const titles = ["person", "session", ...(seeds.length > 1 ? seeds.map((seed) => `seed ${seed}`) : []), "mean"];
    head.append(...titles.map((title, i) => make("th", title, { scope: "col", className: i < 2 ? "name" : "" })));
    const body = table.createTBody();
    for (const [person, session, ...values] of scores) {
      const line = body.insertRow();
      const known = values.filter((value) => value !== null);
      const mean = known.length ? known.reduce((a, b) => a + b) / known.length : null;
      const shown = [...(seeds.length > 1 ? values : []), mean];
      line.append(make("td", person, { className: "name" }), make("td", session, { className: "name" }));
      line.append(...shown.map((value) => make("td", value === null ? "–" : value.toFixed(told.digits))));
    }
    const each = make("div", null, { className: "each", tabIndex: 0 });
    each.append(make("strong", `${row.dataset.model}: ${told.metric} of each person and session`), table);
    const within = make("div", null, { className: "within" });
    const known = `template[data-model="${CSS.escape(row.dataset.model)}"]`;
    within.append(board.closest("section").querySelector(known).content.cloneNode(true));
    within.querySelector(".beside").prepend(each);
    const cell = make("td", null, { colSpan: board.tHead.rows[0].cells.length });
    cell.append(within);
    const details = make("tr", null, { className: "details" });
    details.append(cell);
    row.after(details);
    offerFigures(details);
  };
  for (const row of rows.filter((row) => told.models[row.dataset.model])) {
    const button = make("button", null, { type: "button", ariaExpanded: "false", title: "scores of each person, session and seed" });
    const cell = row.querySelector("th.name");
    button.append(...[...cell.childNodes].filter((node) => node.nodeName !== "SMALL"));
    button.addEventListener("click", () => open(row, button));
    cell.prepend(button);
  }
}

const root = document.documentElement;
document.querySelector("button.theme").addEventListener("click", () => {
  const chosen = root.style.colorScheme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.style.colorScheme = dark ? "light" : "dark";
});
