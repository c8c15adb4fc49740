// Save what is seen: a figure as SVG or PDF, a table as CSV, LaTeX (booktabs) or Markdown.
const SHAPE = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
  "opacity", "font-size", "font-weight", "font-family", "text-anchor"];

const download = (name, text, type) => {
  const link = make("a", null, { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

// A colour as other programs know it, whatever function of CSS it came from.
const brush = make("canvas", null, { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
const plainColour = (colour) => {
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = colour;
  brush.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? `rgb(${red},${green},${blue})` : `rgba(${red},${green},${blue},${(alpha / 255).toFixed(3)})`;
};

// A drawing that stands alone: on white paper, its style written into it.
const alone = (svg) => {
  const chosen = root.style.colorScheme;
  root.style.colorScheme = "light";
  const copy = svg.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [svg, ...svg.querySelectorAll("*")].forEach((one, i) => {
    const known = getComputedStyle(one);
    const style = SHAPE.map((name) => {
      const value = known.getPropertyValue(name);
      return `${name}: ${["fill", "stroke"].includes(name) && value !== "none" ? plainColour(value) : value}`;
    });
    copies[i].removeAttribute("class");
    if (one.nodeName !== "title") copies[i].setAttribute("style", style.join("; "));
  });
  root.style.colorScheme = chosen;
  return copy;
};

const saveSvg = (svg, name) => download(`${name}.svg`, `${new XMLSerializer().serializeToString(alone(svg))}\n`, "image/svg+xml");

// The browser's own printing makes the PDF: one page as large as the figure.
const savePdf = (svg) => {
  const { width, height } = svg.viewBox.baseVal;
  const sheet = make("div", null, { className: "sheet" });
  const size = make("style", `@page { size: ${width}px ${height}px; margin: 0; } @media print { body > :not(.sheet) { display: none !important; } }`);
  sheet.append(size, alone(svg));
  document.body.append(sheet);
  addEventListener("afterprint", () => sheet.remove(), { once: true });
  print();
};

// What stands in a cell, without what is below it or drawn in it.
const said = (cell) => {
  const copy = cell.cloneNode(true);
  for (const part of copy.querySelectorAll("small, svg, .key, .stack")) part.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
};

// The text of each column of a row; one that covers several stands in the first that is seen.
const placed = (row, seen) => {
  const texts = [];
  for (const cell of row.cells) {
    const covered = cell.dataset.spans?.split(" ").length ?? 1;
    const first = texts.length;
    texts.push(...Array(covered).fill(""));
    const at = seen.findIndex((known, i) => known && i >= first);
    texts[at >= 0 && at < texts.length ? at : first] = said(cell);
  }
  return texts;
};

// A table as it is seen: titles, which columns hold text, and lines; a line of one text is a heading.
const grid = (table) => {
  const heads = [...table.tHead.rows].at(-1).cells;
  const seen = [...heads].map((head) => head.checkVisibility() && !head.querySelector("svg, .key"));
  const pick = (cells) => cells.filter((_, i) => seen[i]);
  const lines = [];
  for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
    if (!row.checkVisibility() || row.matches(".details")) continue;
    if (row.matches(".group")) lines.push([said(row.cells[0])]);
    else lines.push(pick(placed(row, seen)));
  }
  return { titles: pick([...heads]).map(said), left: pick([...heads]).map((head) => head.matches(".name")), lines };
};

const plainCell = (text) => {
  const inert = /^[=+@-]/.test(text) && isNaN(text) ? `'${text}` : text;
  return /[",\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
};

const csv = ({ titles, lines }) => {
  const grouped = lines.some((line) => line.length === 1) && titles.length > 1;
  const written = [grouped ? ["group", ...titles] : titles];
  let group = "";
  for (const line of lines) {
    if (grouped && line.length === 1) [group] = line;
    else written.push(grouped ? [group, ...line] : line);
  }
  return written.map((line) => line.map((cell) => plainCell(cell.replaceAll("−", "-"))).join(",")).join("\n");
};

const markdown = ({ titles, left, lines }) => {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;")).join(" | ")} |`;
  const rows = lines.map((cells) => line(cells.length === 1 && titles.length > 1 ? [`**${cells[0]}**`, ...Array(titles.length - 1).fill("")] : cells));
  return [line(titles), `|${left.map((text) => (text ? " - " : " -: ")).join("|")}|`, ...rows].join("\n");
};

const SIGNS = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "–": "--", "×": "$\\times$",
  "→": "$\\to$", "≤": "$\\leq$", "²": "\\textsuperscript{2}", "…": "\\dots{}", "<": "\\textless{}", ">": "\\textgreater{}" };
const tex = (text) => text.replace(/[\\~^−–×→≤²…<>]|[&%$#_{}]/g, (sign) => SIGNS[sign] ?? `\\${sign}`);

const latex = ({ titles, left, lines }) => {
  const line = (cells) => `${cells.map(tex).join(" & ")} \\\\`;
  const rows = lines.map((cells) => cells.length === 1 && titles.length > 1 ? `\\midrule\n\\multicolumn{${titles.length}}{l}{\\textit{${tex(cells[0])}}} \\\\` : line(cells));
  if (!rows[0]?.startsWith("\\midrule")) rows.unshift("\\midrule");
  const columns = left.map((text) => (text ? "l" : "r")).join("");
  return ["% \\usepackage{booktabs}", `\\begin{tabular}{${columns}}`, "\\toprule", line(titles), ...rows, "\\bottomrule", "\\end{tabular}"].join("\n");
};

// Buttons below each figure and each table.
const FILES = { CSV: [csv, "csv", "text/csv"], LaTeX: [latex, "tex", "text/x-tex"], Markdown: [markdown, "md", "text/markdown"] };
const offer = (after, what, ways) => {
  const line = make("p", "Save as ", { className: "save" });
  for (const [kind, act] of Object.entries(ways)) {
    const button = make("button", kind, { type: "button", ariaLabel: `Save as ${kind}: ${what}` });
    button.addEventListener("click", act);
    line.append(button, " ");
  }
  after.after(line);
};
const counted = {};
const fileName = (inside) => {
  const place = inside.closest("section")?.id ?? "table";
  counted[place] = (counted[place] ?? 0) + 1;
  const study = document.querySelector(".bar-inner strong").textContent.trim().replace(/\s+/g, "_");
  return `${study}_${place}${counted[place] > 1 ? `_${counted[place]}` : ""}`;
};
const offerFigures = (inside) => {
  for (const svg of inside.querySelectorAll("svg[role=img]:not(.bar)")) {
    const name = fileName(svg);
    const figure = { SVG: () => saveSvg(svg, name), PDF: () => savePdf(svg) };
    const frame = svg.parentElement.matches(".figure") ? svg.closest("div.frame") : null;
    if (!frame) {
      const drawn = make("div", null, { className: "drawn" });
      svg.replaceWith(drawn);
      drawn.append(svg);
    }
    offer(frame ?? svg, svg.getAttribute("aria-label"), figure);
  }
};
offerFigures(document.querySelector("main"));
for (const table of document.querySelectorAll("div.frame table")) {
  const name = fileName(table);
  const ways = Object.entries(FILES).map(([kind, [made, ending, type]]) =>
    [kind, () => download(`${name}.${ending}`, `${made(grid(table))}\n`, type)]);
  offer(table.closest("div.frame"), table.caption.textContent, Object.fromEntries(ways));
}
