// Three comforts; every page works without them.
"use strict";

// Sort a table by a click on a heading: numbers as numbers, else as text.
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (!head || !head.textContent.trim()) return;
    const place = head.cellIndex;
    const down = head.getAttribute("aria-sort") !== "descending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const cell = row.cells[place];
      const said = cell.dataset.sort ?? cell.textContent.trim();
      return said !== "" && !Number.isNaN(Number(said)) ? Number(said) : said;
    };
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === typeof y) return typeof x === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
      return typeof x === "number" ? 1 : -1;
    };
    const body = table.tBodies[0];
    const rows = [...body.rows].sort(order);
    body.append(...(down ? rows.reverse() : rows));
  });
}

// A choice takes effect at once.
for (const select of document.querySelectorAll("form.choices select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

// Say when a newer version was published than the one that the page shows.
const shown = document.body.dataset.version;
if (shown) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/version", { cache: "no-store" });
      const { version } = await answer.json();
      if (version && version !== shown) document.querySelector(".newer").hidden = false;
    } catch {
      // The workbench was stopped: the page stays as it is.
    }
  }, 20000);
}
