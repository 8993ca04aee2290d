"use strict";
// The viewer: three planes on one scale, moved by mouse, touch, wheel and keys. Needs volume.js.
(() => {
  const root = document.getElementById("viewer");
  if (!root) return;
  const entries = JSON.parse(document.getElementById("volumes").textContent);
  const $ = (selector) => root.querySelector(selector), $$ = (selector) => [...root.querySelectorAll(selector)];
  const stage = $(".stage"), picker = $("#volume-choice");
  const state = {
    volume: null, point: [0, 0, 0], base: "clean", channel: 0, gain: 1, opacity: 0.45, crosshair: true,
    shown: { target: true, clean: false, attacked: true }, low: 0, high: 1, single: "all",
  };
  const loaded = new Map();
  const number = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString());

  async function choose(index) {
    root.dataset.drawn = "";
    $(".loading").hidden = false;
    if (!loaded.has(index))
      loaded.set(index, await loadVolume(entries[index], document.getElementById(`volume-${index}`).textContent));
    if (Number(picker.value) !== index) return; // another was chosen meanwhile
    const before = state.volume;
    state.volume = loaded.get(index);
    for (const name of $$(".network")) name.textContent = entries[index].system;
    // The same case under another epsilon stays where it is.
    if (!before || before.case !== state.volume.case) state.point = [...state.volume.start];
    state.channel = Math.min(state.channel, state.volume.channels.length - 1);
    $(".channel-choice").hidden = state.volume.channels.length < 2;
    $("#channel").replaceChildren(...state.volume.channels.map((name, c) => new Option(name, c, false, c === state.channel)));
    $(".loading").hidden = true;
    $(".theatre").inert = false; // no control has an effect before there is a volume
    resetWindow();
    layout();
  }

  function resetWindow() {
    [state.low, state.high] = [state.volume.lower[state.channel], state.volume.upper[state.channel]];
    draw();
  }

  // One scale for all planes: pixels per millimetre such that the stage is filled in one direction.
  function layout() {
    const { shape, spacing } = state.volume, mm = shape.map((length, axis) => length * spacing[axis]);
    // clientWidth is that of an empty stage's track; the stage itself shrinks to what it holds
    const room = stage.parentElement.clientWidth - (matchMedia("(min-width: 900px)").matches ? 330 : 0);
    const tall = Math.max(260, Math.min(innerHeight * 0.82, 720)), gap = 4;
    const single = state.single !== "all" ? PLANES[state.single] : null;
    const across = single ? mm[single.across] : mm[0] + mm[1], down = single ? mm[single.down] : mm[1] + mm[2];
    const scale = Math.min((room - gap) / across, (tall - gap) / down);
    stage.classList.remove("empty");
    stage.classList.toggle("single", Boolean(single));
    for (const pane of $$(".pane")) {
      const { across, down } = PLANES[pane.dataset.plane];
      pane.hidden = Boolean(single) && pane.dataset.plane !== state.single;
      const size = [mm[across] * scale, mm[down] * scale];
      pane.classList.toggle("small", size[0] < 190);
      pane.style.width = `${size[0]}px`;
      pane.style.height = `${size[1]}px`;
      const [image, marks] = pane.querySelectorAll("canvas"), density = devicePixelRatio || 1;
      [image.width, image.height] = [shape[across], shape[down]];
      [marks.width, marks.height] = size.map((length) => Math.max(1, Math.round(length * density)));
      pane.querySelector("input").max = shape[PLANES[pane.dataset.plane].along] - 1;
    }
    const key = $(".key"), quarter = [mm[1] * scale, mm[1] * scale];
    const place = (inside) => {
      key.classList.toggle("below", !inside);
      [key.style.width, key.style.height] = inside ? quarter.map((length) => `${length}px`) : ["", ""];
    };
    place(!single && quarter[0] >= 150 && quarter[1] >= 150);
    // Many classes, or a small screen: what would be cut off stands below the planes.
    if (key.scrollHeight > key.clientHeight + 1 || key.scrollWidth > key.clientWidth + 1) place(false);
    draw();
  }

  function draw() {
    const { volume, point } = state;
    stage.classList.toggle("voxels", state.base === "perturbation"); // a perturbation is per voxel; show it so
    for (const pane of $$(".pane")) {
      const plane = pane.dataset.plane, { across, down, along } = PLANES[plane];
      const [image, marks] = pane.querySelectorAll("canvas"), size = [volume.shape[across], volume.shape[down]];
      image.getContext("2d").putImageData(sliceImage(volume, plane, point, state), 0, 0);
      const context = marks.getContext("2d"), [sx, sy] = [marks.width / size[0], marks.height / size[1]];
      context.clearRect(0, 0, marks.width, marks.height);
      // The colours of a perturbation say how much; a fill would change them.
      const isBare = state.base === "perturbation";
      for (const [name, dashes] of [["clean", [1, 4]], ["attacked", [6, 4]]])
        if (state.shown[name]) isBare ? outline(context, plane, name, size, sx, sy, dashes) : fill(context, marks, plane, name, size);
      if (state.shown.target) outline(context, plane, "target", size, sx, sy);
      if (state.crosshair) cross(context, marks, pixelOf(volume, plane, point), sx, sy);
      const text = `${plane}, slice ${point[along] + 1} of ${volume.shape[along]}`;
      pane.querySelector(".caption").textContent = `${plane} ${point[along] + 1}/${volume.shape[along]}`;
      image.setAttribute("aria-label", `${text}; arrow keys change the slice`);
      const slider = pane.querySelector("input");
      slider.value = point[along];
      slider.setAttribute("aria-valuetext", text);
    }
    report();
    root.dataset.drawn = JSON.stringify({ ...state, volume: volume.name, index: Number(picker.value) });
  }

  function fill(context, marks, plane, name, size) {
    const small = new OffscreenCanvas(...size);
    small.getContext("2d").putImageData(filled(sliceLabels(state.volume, plane, state.point, name), ...size, state.opacity), 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, marks.width, marks.height);
  }

  function outline(context, plane, name, size, sx, sy, dashes = []) {
    const paths = outlines(sliceLabels(state.volume, plane, state.point, name), ...size);
    context.setLineDash(dashes.map((length) => length * (devicePixelRatio || 1)));
    for (const [style, width] of [["rgba(0,0,0,.55)", 3.5], [null, 1.8]])
      for (const [label, path] of paths) {
        const scaled = new Path2D();
        scaled.addPath(path, new DOMMatrix([sx, 0, 0, sy, 0, 0]));
        context.lineWidth = width * (devicePixelRatio || 1);
        context.lineCap = "round";
        context.strokeStyle = style || `rgb(${CLASS_COLOURS[(label - 1) % CLASS_COLOURS.length]})`;
        context.stroke(scaled);
      }
    context.setLineDash([]);
  }

  function cross(context, marks, [column, row], sx, sy) {
    const x = (column + 0.5) * sx, y = (row + 0.5) * sy, free = 9 * (devicePixelRatio || 1);
    context.strokeStyle = "rgba(255,255,255,.55)";
    context.lineWidth = devicePixelRatio || 1;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [[0, y, x - free, y], [x + free, y, marks.width, y], [x, 0, x, y - free], [x, y + free, x, marks.height]]) {
      if (x1 > x0 || y1 > y0) { context.moveTo(x0, y0); context.lineTo(x1, y1); }
    }
    context.stroke();
  }

  // What is under the crosshair, and what the controls say.
  function report() {
    const { volume, point, channel } = state, index = indexOf(volume, point), unit = volume.unit ? ` ${volume.unit}` : "";
    const classes = JSON.parse(root.dataset.classes), named = (label) => (label ? classes[label - 1] : "background");
    const moved = volume.moved[channel][index] * volume.step[channel];
    const lines = {
      clean: number(rawValue(volume, channel, index, false)) + unit,
      moved: (moved > 0 ? "+" : moved < 0 ? "\u2212" : "") + number(Math.abs(moved)) + unit,
      target: named(volume.labels.target[index]),
      before: named(volume.labels.clean[index]),
      after: named(volume.labels.attacked[index]),
    };
    for (const [name, text] of Object.entries(lines)) $(`[data-read="${name}"]`).textContent = text;
    $$(".classes tbody tr").forEach((row, index) => {
      const shown = (value) => (value === null || value === undefined ? "\u2013" : value.toFixed(2));
      [row.cells[1].textContent, row.cells[2].textContent] = (volume.dice[index] ?? []).concat([null, null]).slice(0, 2).map(shown);
    });
    const limit = (volume.step[channel] * 127) / state.gain;
    $(".scale .low").textContent = `\u2212${number(limit)}`;
    $(".scale .high").textContent = `+${number(limit)}${unit}`;
    $(".scale").classList.toggle("idle", state.base !== "perturbation");
    for (const button of $$("[data-base]")) button.setAttribute("aria-pressed", button.dataset.base === state.base);
    for (const button of $$("[data-plane-choice]"))
      button.setAttribute("aria-pressed", button.dataset.planeChoice === state.single);
    for (const box of $$("[data-overlay]")) box.checked = state.shown[box.dataset.overlay];
    const low = volume.lower[channel], width = volume.upper[channel] - low;
    $("#level").value = ((state.low + state.high) / 2 - low) / width * 100;
    $("#window").value = (state.high - state.low) / width * 100;
    $("[data-value=level]").textContent = number((state.low + state.high) / 2) + unit;
    $("[data-value=window]").textContent = number(state.high - state.low) + unit;
    $("#gain").value = state.gain;
    $("[data-value=gain]").textContent = `\u00d7${number(state.gain)}`;
    $("#opacity").value = state.opacity * 100;
    $("[data-value=opacity]").textContent = `${Math.round(state.opacity * 100)}%`;
  }

  Object.assign(window, { rogsegViewer: { root, $, $$, state, entries, picker, choose, resetWindow, layout, draw } });
})();
