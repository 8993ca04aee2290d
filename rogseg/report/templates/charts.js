"use strict";
// Charts answer the mouse and the arrow keys: the nearest mark is named, its series stands out.
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  const marks = (chart) => [...chart.querySelectorAll("[data-tip]")].filter((mark) => !mark.closest(".off"));

  function centre(mark) {
    const frame = mark.getBoundingClientRect();
    return [frame.left + frame.width / 2, frame.top + frame.height / 2];
  }

  function show(chart, mark) {
    hide(chart);
    mark.classList.add("on");
    const series = mark.closest(".series");
    if (series) { chart.classList.add("focused"); series.classList.add("on"); }
    tip.replaceChildren(...mark.dataset.tip.split("|").map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }));
    tip.hidden = false;
    const [x, y] = centre(mark), box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x - box.width / 2), document.documentElement.clientWidth - box.width - 8);
    const above = y - box.height - 12;
    tip.style.transform = `translate(${left}px, ${above > 4 ? above : y + 14}px)`;
  }

  function hide(chart) {
    tip.hidden = true;
    chart.classList.remove("focused");
    for (const element of chart.querySelectorAll(".on")) element.classList.remove("on");
  }

  for (const chart of document.querySelectorAll("svg.chart")) {
    let index = -1;
    chart.addEventListener("pointermove", (event) => {
      let best = null, least = 40 ** 2;
      for (const mark of marks(chart)) {
        const [x, y] = centre(mark), far = (x - event.clientX) ** 2 + (y - event.clientY) ** 2;
        // Means win over the dots of cases beside them.
        const weighed = far * (mark.classList.contains("point") ? 0.35 : 1);
        if (weighed < least) [best, least] = [mark, weighed];
      }
      if (best) show(chart, best); else hide(chart);
    });
    chart.addEventListener("pointerleave", () => hide(chart));
    chart.addEventListener("blur", () => hide(chart));
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide(chart);
      if (!step) return;
      event.preventDefault();
      const all = marks(chart).filter((mark) => !mark.classList.contains("dot"));
      const list = all.length ? all : marks(chart);
      index = (index + step + list.length) % list.length;
      show(chart, list[index]);
    });
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  for (const button of document.querySelectorAll("[data-toggles]")) {
    const charts = () => [...button.closest("figure").querySelectorAll("svg.chart")];
    const series = (chart) => [...chart.querySelectorAll(".series")].filter((g) => g.dataset.series === button.dataset.toggles);
    button.addEventListener("click", () => {
      const off = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!off));
      for (const chart of charts()) for (const group of series(chart)) group.classList.toggle("off", off);
    });
    button.addEventListener("pointerenter", () => {
      for (const chart of charts()) { chart.classList.add("focused"); for (const group of series(chart)) group.classList.add("on"); }
    });
    button.addEventListener("pointerleave", () => charts().forEach(hide));
  }
})();
