// The model and the source go from one page to the other: a text in the address, a file in the session's storage.
import { remember, remembered } from "./theme.js";

const KEY = "tandem-source";
const session = () => sessionStorage;

// source: { media, value, name }; value is a text, or the Base64 of a file.
export function address(page, model, source) {
  const parts = new URLSearchParams({ model });
  if (source?.media === "text") parts.set("text", source.value);
  return `${page}#${parts}`;
}

export function keepSource(source) {
  if (source.media === "text") return true;
  return remember(KEY, JSON.stringify(source), session);
}

// What the address and the storage hold: { model, source }, each of them null if absent.
export function handedOver() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const text = parts.get("text");
  const kept = remembered(KEY, session);
  const source = text === null ? (kept ? JSON.parse(kept) : null) : { media: "text", value: text, name: "" };
  return { model: parts.get("model"), source };
}
