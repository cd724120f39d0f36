// Sound from the microphone or a file, as a WAV that every server reads.
const RATE = 16000; // samples a second
const BITS = 16;

// WAV of one channel; samples between -1 and 1.
export function toWav(samples, rate) {
  const bytes = (samples.length * BITS) / 8;
  const view = new DataView(new ArrayBuffer(44 + bytes));
  const write = (offset, text) => [...text].forEach((letter, place) => view.setUint8(offset + place, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // length of the format's description
  view.setUint16(20, 1, true); // whole numbers
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, (rate * BITS) / 8, true);
  view.setUint16(32, BITS / 8, true);
  view.setUint16(34, BITS, true);
  write(36, "data");
  view.setUint32(40, bytes, true);
  samples.forEach((sample, place) => {
    const level = Math.max(-1, Math.min(1, sample));
    view.setInt16(44 + 2 * place, level < 0 ? level * 0x8000 : level * 0x7fff, true);
  });
  return new Blob([view], { type: "audio/wav" });
}

// What the browser can decode, as one channel of 16,000 samples a second.
export async function decodedWav(blob) {
  const context = new AudioContext();
  try {
    const sound = await context.decodeAudioData(await blob.arrayBuffer());
    const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * RATE)), RATE);
    const player = offline.createBufferSource();
    player.buffer = sound;
    player.connect(offline.destination);
    player.start();
    return toWav((await offline.startRendering()).getChannelData(0), RATE);
  } finally {
    await context.close();
  }
}

// Starts to record; the returned function stops and gives the recording as WAV.
export async function startRecording() {
  if (!navigator.mediaDevices) {
    throw new Error("A browser lends its microphone to https and to localhost only; open the page there, or choose a file.");
  }
  const input = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => {
    throw new Error(`The browser gives no microphone (${error.message}); allow it, or choose a file.`);
  });
  const recorder = new MediaRecorder(input);
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.start();
  return async () => {
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
    for (const track of input.getTracks()) track.stop();
    return decodedWav(new Blob(parts, { type: recorder.mimeType }));
  };
}
