
"use strict";
(() => {
  const table = document.getElementById("certificates");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({
    row,
    text: row.textContent.toLowerCase(),
    // Behind the state may stand when and why.
    status: row.cells[2].firstChild ? row.cells[2].firstChild.textContent : "",
  }));
  const search = document.getElementById("search");
  const status = document.getElementById("status");
  const shown = document.getElementById("shown");

  for (const state of new Set(rows.map((entry) => entry.status))) {
    status.add(new Option(state, state));
  }

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const entry of rows) {
      const fits = (!status.value || entry.status === status.value)
        && words.every((word) => entry.text.includes(word));
      entry.row.hidden = !fits;
      count += fits;
    }
    shown.value = `${count} of ${rows.length}`;
  };

  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  const key = (cell) => (cell.dataset.key === undefined ? cell.textContent : Number(cell.dataset.key));
  const sort = (column, header) => {
    const down = header.ariaSort === "ascending";
    for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((entry) => [key(entry.row.cells[column]), entry.row]);
    keyed.sort(([one], [other]) => {
      // What has no date comes last, whichever way round.
      if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
      const order = typeof one === "number" ? one - other : compare(one, other);
      return down ? -order : order;
    });
    body.append(...keyed.map(([, row]) => row));
  };

  Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(column, header));
    header.append(button);
  });
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, rows.length > 1000 ? 150 : 0);
  });
  status.addEventListener("change", filter);
  document.getElementById("controls").hidden = false;
  filter();
})();
