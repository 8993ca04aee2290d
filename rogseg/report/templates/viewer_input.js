"use strict";
// Mouse, touch, wheel, keys and controls of the viewer. Needs viewer.js.
(() => {
  const viewer = window.rogsegViewer;
  if (!viewer) return;
  const { root, $, $$, state, picker, choose, resetWindow, layout, draw } = viewer;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  function step(plane, count) {
    const along = PLANES[plane].along;
    state.point[along] = clamp(state.point[along] + count, 0, state.volume.shape[along] - 1);
    draw();
  }

  function setWindow(level, width) {
    const low = state.volume.lower[state.channel], high = state.volume.upper[state.channel];
    width = clamp(width, (high - low) / 100, high - low);
    level = clamp(level, low, high);
    [state.low, state.high] = [level - width / 2, level + width / 2];
    draw();
  }

  for (const pane of $$(".pane")) {
    const plane = pane.dataset.plane, image = pane.querySelector("canvas"), { across, down } = PLANES[plane];
    const point = (event) => {
      const frame = image.getBoundingClientRect();
      const column = clamp(Math.floor((event.clientX - frame.left) / frame.width * image.width), 0, image.width - 1);
      const row = clamp(Math.floor((event.clientY - frame.top) / frame.height * image.height), 0, image.height - 1);
      const at = voxelOf(state.volume, plane, state.point, column, row);
      state.point[across] = at[across];
      state.point[down] = at[down];
      draw();
    };
    let from = null;
    image.addEventListener("pointerdown", (event) => {
      image.focus({ preventScroll: true });
      image.setPointerCapture(event.pointerId);
      const grey = event.button === 2 || event.shiftKey;
      from = { grey, x: event.clientX, y: event.clientY, low: state.low, high: state.high };
      if (!grey) point(event);
    });
    image.addEventListener("pointermove", (event) => {
      if (!from) return;
      if (!from.grey) return point(event);
      const unit = (state.volume.upper[state.channel] - state.volume.lower[state.channel]) / 300;
      const level = (from.low + from.high) / 2 - (event.clientY - from.y) * unit;
      setWindow(level, from.high - from.low + (event.clientX - from.x) * unit);
    });
    for (const name of ["pointerup", "pointercancel"]) image.addEventListener(name, () => (from = null));
    image.addEventListener("contextmenu", (event) => event.preventDefault());
    // The page scrolls as always until the plane has been clicked.
    image.addEventListener("wheel", (event) => {
      if (document.activeElement !== image) return;
      event.preventDefault();
      step(plane, event.deltaY > 0 ? -1 : 1);
    }, { passive: false });
    pane.querySelector("input").addEventListener("input", (event) => {
      state.point[PLANES[plane].along] = Number(event.target.value);
      draw();
    });
  }

  const bases = { 1: "clean", 2: "attacked", 3: "perturbation" };
  const toggles = { t: "target", c: "clean", a: "attacked" };
  const widen = (factor) => setWindow((state.low + state.high) / 2, (state.high - state.low) * factor);
  const brighten = (share) =>
    setWindow((state.low + state.high) / 2 - share * (state.high - state.low), state.high - state.low);
  function next(count) {
    picker.value = (Number(picker.value) + count + picker.options.length) % picker.options.length;
    choose(Number(picker.value));
  }
  const keys = {
    ArrowUp: (plane) => step(plane, 1), ArrowRight: (plane) => step(plane, 1),
    ArrowDown: (plane) => step(plane, -1), ArrowLeft: (plane) => step(plane, -1),
    PageUp: (plane) => step(plane, 5), PageDown: (plane) => step(plane, -5),
    x: () => { state.crosshair = !state.crosshair; draw(); },
    "[": () => widen(0.9), "]": () => widen(1 / 0.9), "{": () => brighten(-0.05), "}": () => brighten(0.05),
    "+": () => gain(state.gain * 1.25), "-": () => gain(state.gain / 1.25),
    0: resetWindow, n: () => next(1), p: () => next(-1),
    " ": () => { state.base = state.base === "attacked" ? "clean" : "attacked"; draw(); },
  };
  const gain = (value) => { state.gain = clamp(value, 1, 20); draw(); };

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, onPlane = target.matches("canvas");
    // Controls keep the keys that they need themselves.
    if (!onPlane && (target.matches("select") || /^(Arrow|Page| )/.test(event.key))) return;
    const plane = onPlane ? target.closest(".pane").dataset.plane : "axial";
    if (bases[event.key]) { state.base = bases[event.key]; draw(); }
    else if (toggles[event.key]) { state.shown[toggles[event.key]] = !state.shown[toggles[event.key]]; draw(); }
    else if (keys[event.key]) keys[event.key](plane);
    else return;
    event.preventDefault();
  });

  for (const button of $$("[data-base]"))
    button.addEventListener("click", () => { state.base = button.dataset.base; draw(); });
  for (const button of $$("[data-plane-choice]"))
    button.addEventListener("click", () => { state.single = button.dataset.planeChoice; layout(); });
  for (const box of $$("[data-overlay]"))
    box.addEventListener("change", () => { state.shown[box.dataset.overlay] = box.checked; draw(); });
  const share = (id) => {
    const low = state.volume.lower[state.channel], width = state.volume.upper[state.channel] - low;
    return (Number($(id).value) / 100) * width + (id === "#level" ? low : 0);
  };
  for (const id of ["#level", "#window"])
    $(id).addEventListener("input", () => setWindow(share("#level"), share("#window")));
  $("#gain").addEventListener("input", (event) => gain(Number(event.target.value)));
  $("#opacity").addEventListener("input", (event) => { state.opacity = Number(event.target.value) / 100; draw(); });
  $("#channel").addEventListener("change", (event) => { state.channel = Number(event.target.value); resetWindow(); });
  $("#window-reset").addEventListener("click", resetWindow);
  picker.addEventListener("change", () => choose(Number(picker.value)));
  if (innerWidth < 900) $(".keys").open = false;
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => state.volume && layout());
  });
  // Decoding waits until the viewer comes into sight, so that the page opens at once.
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    choose(Number(picker.value));
  }, { rootMargin: "600px" }).observe(root);
})();
