// Light or dark: as the system says, unless one of them is chosen.
const THEME = "tandem-report-theme";
const PALETTES = {
  light: ["#2456a6", "#d1731b", "#2f8a57", "#b23a48", "#7456a8", "#7a5c46", "#c65b9c", "#59636f", "#8f8a1d", "#1f93a8"],
  dark: ["#7fb0f5", "#f0a04b", "#5fc48d", "#f07b86", "#b79cf0", "#c9a78c", "#ee92cb", "#a9b4c2", "#cfc95a", "#57c7dc"],
};
const SCALES = {
  light: [[0, "#f2f6fb"], [0.5, "#8fb3dd"], [1, "#1b4f9c"]],
  dark: [[0, "#1d2a3b"], [0.5, "#2f629f"], [1, "#a9cdf7"]],
};
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

// Pages from a file may have no storage.
function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice lasts as long as the page.
  }
}

function themeName() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : systemIsDark.matches ? "dark" : "light";
}

const palette = () => PALETTES[themeName()];
const scale = () => SCALES[themeName()];
const chosenPlace = (row) => chosenRows().indexOf(row);
const colour = (row) => palette()[chosenPlace(row) % palette().length];

// The value of one of the style sheet's colours.
function styleColour(name) {
  byId("probe").style.color = `var(--${name})`;
  return getComputedStyle(byId("probe")).color;
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

function listenToTheme(redraw) {
  const theme = remembered(THEME) ?? "auto";
  applyTheme(theme);
  fillSelect(byId("theme"), [["auto", "automatic"], "light", "dark"], theme);
  byId("theme").addEventListener("change", () => {
    applyTheme(byId("theme").value);
    remember(THEME, byId("theme").value);
    redraw();
  });
  systemIsDark.addEventListener("change", redraw);
}
