"use strict";
// Tables: sorted by a click on a heading, filtered by typing, and with a hint where they are cut.
(() => {
  const order = new Intl.Collator("en", { numeric: true });
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  function sort(table, column, descending) {
    const body = table.tBodies[0], rows = [...body.rows];
    const numeric = rows.every((row) => valueOf(row, column) === "" || !isNaN(valueOf(row, column)));
    rows.sort((first, second) => {
      const a = valueOf(first, column), b = valueOf(second, column);
      if (a === "" || b === "") return (a === "") - (b === ""); // no value: last, either way
      const compared = numeric ? Number(a) - Number(b) : order.compare(a, b);
      return descending ? -compared : compared;
    });
    body.append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = heading.querySelector("button");
      button?.addEventListener("click", () => {
        const descending = heading.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sort(table, column, descending);
      });
    });
  }

  for (const input of document.querySelectorAll("input[data-filters]")) {
    const table = document.getElementById(input.dataset.filters), count = input.closest(".filter").querySelector("output");
    const rows = [...table.tBodies[0].rows];
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        // Of a word its beginning counts, so that 3 finds case 3 and not 0.301.
        const text = [...row.cells].map((cell) => cell.textContent.toLowerCase().split(/\s+/)).flat();
        row.hidden = !words.every((word) => text.some((part) => part.startsWith(word)));
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length}`;
    });
  }

  const hints = () => {
    for (const box of document.querySelectorAll(".scroller")) {
      const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
      box.parentElement.classList.toggle("more", rest > 4);
      box.parentElement.classList.toggle("cut", box.scrollWidth > box.clientWidth + 4);
    }
  };
  for (const box of document.querySelectorAll(".scroller")) box.addEventListener("scroll", hints, { passive: true });
  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", hints);
  addEventListener("resize", hints);
  hints();

  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
  // A link to something inside a closed part opens it.
  const reveal = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details")?.setAttribute("open", "");
  addEventListener("hashchange", reveal);
  reveal();
})();
