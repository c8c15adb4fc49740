// Sort the leaderboard within each group, and switch between day and night.
for (const table of document.querySelectorAll("table.board")) {
  const heads = [...table.querySelectorAll("thead th")];
  const value = (row, column) => row.querySelector(`[data-column="${column}"]`)?.dataset.value ?? "";
  const sort = (head) => {
    const column = head.dataset.sort;
    const down = head.hasAttribute("aria-sort")
      ? head.getAttribute("aria-sort") === "ascending"
      : head.dataset.first === "descending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => row.dataset.model !== undefined);
      rows.sort((one, two) => {
        const [a, b] = [value(one, column), value(two, column)];
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
        return down ? -order : order;
      });
      body.append(...rows);
    }
  };
  for (const head of heads.filter((head) => head.dataset.sort)) {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort(head);
      }
    });
  }
}
const root = document.documentElement;
document.querySelector("button.theme").addEventListener("click", () => {
  const chosen = root.style.colorScheme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.style.colorScheme = dark ? "light" : "dark";
});
