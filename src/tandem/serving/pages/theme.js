// Light or dark: as the system says, unless one of them is chosen.
import { byId, fillSelect } from "./dom.js";

const KEY = "tandem-theme";
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

// A browser may refuse storage.
export function remembered(key, storage = () => localStorage) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

// Whether the value could be kept.
export function remember(key, value, storage = () => localStorage) {
  try {
    storage().setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "dark" || (chosen !== "light" && systemIsDark.matches);
}

export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function listenToTheme(redraw) {
  const apply = (theme) => (document.documentElement.dataset.theme = theme);
  const theme = remembered(KEY) ?? "auto";
  apply(theme);
  fillSelect(byId("theme"), [["auto", "automatic"], "light", "dark"], theme);
  byId("theme").addEventListener("change", ({ target }) => {
    apply(target.value);
    remember(KEY, target.value);
    redraw();
  });
  systemIsDark.addEventListener("change", redraw);
}
