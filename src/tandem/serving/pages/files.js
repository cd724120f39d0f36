// Files as Base64, which is how a source that is no text travels.
const KINDS = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/bmp", [0x42, 0x4d]],
  ["audio/wav", [0x52, 0x49, 0x46, 0x46]],
  ["audio/flac", [0x66, 0x4c, 0x61, 0x43]],
  ["audio/ogg", [0x4f, 0x67, 0x67, 0x53]],
  ["audio/mpeg", [0x49, 0x44, 0x33]],
  ["audio/mpeg", [0xff, 0xfb]],
];

export function toBase64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(new Error("The browser cannot read this file; choose another.")));
    reader.readAsDataURL(blob);
  });
}

// The kind of file by its first bytes; undefined if it is none of the common ones.
export const kindOf = (bytes) => KINDS.find(([, start]) => start.every((byte, place) => bytes[place] === byte))?.[0];

export function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: kindOf(bytes) ?? "" });
}
