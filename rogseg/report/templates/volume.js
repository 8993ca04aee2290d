"use strict";
// A volume of the page: decoded from base64 and gzip, and turned into the pixels of a slice.
// Voxels lie at x + X * (y + Y * z); x grows to the patient's right, y to the front, z to the head.
const PLANES = {
  // across and down are the axes that a plane shows, along is the one that it slices; all are shown from their far end,
  // so that the patient's right is on the left, anterior on top of the axial plane and superior on top of the others.
  axial: { across: 0, down: 1, along: 2, letters: ["R", "L", "A", "P"] },
  coronal: { across: 0, down: 2, along: 1, letters: ["R", "L", "S", "I"] },
  sagittal: { across: 1, down: 2, along: 0, letters: ["A", "P", "S", "I"] },
};
const CLASS_COLOURS = JSON.parse(document.getElementById("viewer")?.dataset.colours ?? "[]");
const WARM = [255, 138, 60], COLD = [80, 160, 255];

async function loadVolume(about, text) {
  const packed = atob(text.trim()), bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer());
  const [X, Y, Z] = about.shape, size = X * Y * Z, channels = about.channels.length;
  const part = (index) => data.subarray(index * size, (index + 1) * size);
  return {
    ...about, size,
    image: about.channels.map((_, c) => part(c)),
    moved: about.channels.map((_, c) => new Int8Array(data.buffer, (channels + c) * size, size)),
    labels: { target: part(2 * channels), clean: part(2 * channels + 1), attacked: part(2 * channels + 2) },
  };
}

// The voxel under pixel (column, row) of a plane through a point.
function voxelOf(volume, plane, point, column, row) {
  const { across, down, along } = PLANES[plane], at = [0, 0, 0];
  at[across] = volume.shape[across] - 1 - column;
  at[down] = volume.shape[down] - 1 - row;
  at[along] = point[along];
  return at;
}

function pixelOf(volume, plane, point) {
  const { across, down } = PLANES[plane];
  return [volume.shape[across] - 1 - point[across], volume.shape[down] - 1 - point[down]];
}

const indexOf = (volume, at) => at[0] + volume.shape[0] * (at[1] + volume.shape[1] * at[2]);

// Intensity of a voxel [raw units], clean or attacked.
function rawValue(volume, channel, index, attacked) {
  const low = volume.lower[channel], high = volume.upper[channel];
  const clean = low + (volume.image[channel][index] / 255) * (high - low);
  if (!attacked) return clean;
  return Math.min(high, Math.max(low, clean + volume.moved[channel][index] * volume.step[channel]));
}

// RGBA of a slice: look is {base, channel, low, high, gain}; low and high are the window [raw units].
function sliceImage(volume, plane, point, look) {
  const { across, down } = PLANES[plane];
  const width = volume.shape[across], height = volume.shape[down], pixels = new ImageData(width, height);
  const scale = 255 / Math.max(1e-9, look.high - look.low), out = pixels.data;
  for (let row = 0, o = 0; row < height; row++) {
    for (let column = 0; column < width; column++, o += 4) {
      const index = indexOf(volume, voxelOf(volume, plane, point, column, row));
      if (look.base === "perturbation") {
        const share = Math.max(-1, Math.min(1, (volume.moved[look.channel][index] / 127) * look.gain));
        const colour = share >= 0 ? WARM : COLD;
        for (let k = 0; k < 3; k++) out[o + k] = Math.abs(share) * colour[k];
      } else {
        const grey = (rawValue(volume, look.channel, index, look.base === "attacked") - look.low) * scale;
        out[o] = out[o + 1] = out[o + 2] = grey;
      }
      out[o + 3] = 255;
    }
  }
  return pixels;
}

// Class indices of a slice, row by row.
function sliceLabels(volume, plane, point, name) {
  const { across, down } = PLANES[plane];
  const width = volume.shape[across], height = volume.shape[down], labels = new Uint8Array(width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      labels[row * width + column] =
        volume.labels[name][indexOf(volume, voxelOf(volume, plane, point, column, row))];
  return labels;
}

// Lines between pixels of different labels, one path per class, in pixels of the slice.
function outlines(labels, width, height) {
  const paths = new Map();
  const line = (label, x0, y0, x1, y1) => {
    if (!label) return;
    if (!paths.has(label)) paths.set(label, new Path2D());
    paths.get(label).moveTo(x0, y0);
    paths.get(label).lineTo(x1, y1);
  };
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const here = labels[row * width + column];
      const right = column + 1 < width ? labels[row * width + column + 1] : 0;
      const below = row + 1 < height ? labels[(row + 1) * width + column] : 0;
      if (here !== right)
        for (const label of [here, right]) line(label, column + 1, row, column + 1, row + 1);
      if (here !== below)
        for (const label of [here, below]) line(label, column, row + 1, column + 1, row + 1);
      if (column === 0) line(here, 0, row, 0, row + 1);
      if (row === 0) line(here, column, 0, column + 1, 0);
    }
  return paths;
}

function filled(labels, width, height, opacity) {
  const pixels = new ImageData(width, height);
  labels.forEach((label, i) => {
    if (!label) return;
    pixels.data.set(CLASS_COLOURS[(label - 1) % CLASS_COLOURS.length], i * 4);
    pixels.data[i * 4 + 3] = Math.round(opacity * 255);
  });
  return pixels;
}
