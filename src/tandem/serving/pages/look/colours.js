// Colour scales that the colour-blind can read: one hue for shares, blue and orange for signs.
import { isDark } from "../theme.js";

const SHARES = {
  light: ["#f2f6fb", "#8fb3dd", "#1b4f9c", "#0b2a5c"],
  dark: ["#1d2a3b", "#2f629f", "#8fbdf5", "#e6f1ff"],
};
const SIGNS = {
  light: ["#123f85", "#6f9bd1", "#f4f4f2", "#e8a35c", "#9c4a02"],
  dark: ["#a9cdf7", "#3f77bd", "#20262e", "#c2701f", "#ffc98a"],
};

const channels = (hex) => [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));

function between(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [channels(stops[low]), channels(stops[low + 1])];
  return from.map((channel, index) => Math.round(channel + (to[index] - channel) * (place - low)));
}

const stopsOf = (scale) => scale[isDark() ? "dark" : "light"];

// A share between 0 and 1 as [red, green, blue].
export const shareColour = (share) => between(stopsOf(SHARES), share);

// A number between -limit and limit as [red, green, blue]; grey for what is no number.
export const signColour = (value, limit) => (value === null ? [128, 128, 128] : between(stopsOf(SIGNS), 0.5 + value / (2 * limit || 1)));

export const rgb = (colour) => `rgb(${colour.join(" ")})`;

// The size that 98 % of all numbers keep below, so that one extreme does not bleach the rest.
export function limitOf(rows) {
  const sizes = rows.flat().filter((value) => value !== null).map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.floor(0.98 * (sizes.length - 1))] || sizes.at(-1) || 1;
}
