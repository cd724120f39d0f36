// A picture's file -> rows of pixels, as Python's PixelFeatures makes them with Pillow.
const ONE = 2 ** 22; // Pillow's weights are whole numbers of this part
const DEEP = "This picture has 16 bits a channel, which browsers round in another way; save it with 8.";

// Python's round: halves go to the even neighbour.
function rounded(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

// Keys's cubic with a = -0.5.
function cubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

// For each of `size` new places the first old one that counts, and the weights from there on.
function contributions(oldSize, size) {
  const scale = oldSize / size;
  const stretch = Math.max(1, scale);
  const support = 2 * stretch;
  return Array.from({ length: size }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(oldSize, Math.trunc(centre + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, at) => cubic((at + first - centre + 0.5) / stretch));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const whole = (weight) => Math.trunc(weight * ONE + (weight < 0 ? -0.5 : 0.5));
    return { first, weights: weights.map((weight) => whole(total ? weight / total : weight)) };
  });
}

// image: {data, width, height, channels}; along rows, or along columns.
function resized(image, size, isAlongRows) {
  const { data, width, height, channels } = image;
  if (size === (isAlongRows ? width : height)) return image;
  const [newWidth, newHeight] = isAlongRows ? [size, height] : [width, size];
  const places = contributions(isAlongRows ? width : height, size);
  const step = isAlongRows ? channels : width * channels;
  const result = new Uint8ClampedArray(newWidth * newHeight * channels);
  for (let y = 0; y < newHeight; y += 1) {
    for (let x = 0; x < newWidth; x += 1) {
      const { first, weights } = places[isAlongRows ? x : y];
      const start = ((isAlongRows ? y : first) * width + (isAlongRows ? first : x)) * channels;
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = ONE / 2;
        weights.forEach((weight, at) => { sum += weight * data[start + at * step + channel]; });
        result[(y * newWidth + x) * channels + channel] = Math.floor(sum / ONE);
      }
    }
  }
  return { data: result, width: newWidth, height: newHeight, channels };
}

// What a browser decodes, upright and on the background: {data, width, height, channels}.
async function decoded(blob, { channels, background }) {
  const head = new Uint8Array(await blob.slice(0, 26).arrayBuffer());
  const isPNG = [0x89, 0x50, 0x4e, 0x47].every((byte, at) => head[at] === byte);
  if (isPNG && head[24] === 16) throw new Refusal(DEEP);
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", imageOrientation: "from-image" });
  } catch {
    throw new Refusal("This file is no picture that the browser can read.");
  }
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = `rgb(${background}, ${background}, ${background})`;
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8ClampedArray(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [red, green, blue] = rgba.subarray(4 * pixel, 4 * pixel + 3);
    if (channels === 1) data[pixel] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    else data.set([red, green, blue], 3 * pixel);
  }
  return { data, width, height, channels };
}

// As large as fits, in the middle of the background.
function fitted(image, { image_width: width, image_height: height, background }) {
  const { channels } = image;
  const scale = Math.min(width / image.width, height / image.height);
  const size = [image.width, image.height].map((side) => Math.max(1, rounded(side * scale)));
  const small = resized(resized(image, size[0], true), size[1], false);
  const data = new Uint8ClampedArray(width * height * channels).fill(background);
  const [left, top] = [Math.floor((width - size[0]) / 2), Math.floor((height - size[1]) / 2)];
  for (let y = 0; y < size[1]; y += 1) {
    const row = small.data.subarray(y * size[0] * channels, (y + 1) * size[0] * channels);
    data.set(row, ((top + y) * width + left) * channels);
  }
  return { data, width, height, channels };
}

// Shows it on a canvas of its size.
function drawn(canvas, { data, width, height, channels }) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const shown = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      shown.data[4 * pixel + channel] = data[pixel * channels + (channels === 3 ? channel : 0)];
    }
    shown.data[4 * pixel + 3] = 255;
  }
  context.putImageData(shown, 0, 0);
}
