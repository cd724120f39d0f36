// What is looked at: the record, the decoder's step, and the position of the source that is pointed at.
export class View extends EventTarget {
  constructor(record, step = 0) {
    super();
    this.record = record;
    this.steps = record.decoder.steps.map((one) => ({ ...one, attention: one.attention && this.spread(one.attention) }));
    this.step = step;
    this.position = null;
  }


  get positions() {
    return this.record.source.positions;
  }

  // Weights of each position, where one weight of the record may stand for several positions.
  spread(weights) {
    const together = this.record.decoder.together;
    return Array.from({ length: this.positions }, (_, position) => weights[Math.floor(position / together)] / together);
  }

  label(position) {
    const { tokens, media, seconds } = this.record.source;
    if (tokens) return tokens[position];
    if (media === "audio") return `${((position * seconds) / this.positions).toFixed(2)} s`;
    return `place ${position + 1}`;
  }

  setStep(step) {
    this.step = Math.min(Math.max(step, 0), this.steps.length - 1);
    this.dispatchEvent(new Event("step"));
  }

  setPosition(position) {
    if (position === this.position) return;
    this.position = position;
    this.dispatchEvent(new Event("position"));
  }

  // Calls `draw` now and whenever one of the named events comes.
  follow(names, draw) {
    for (const name of names) this.addEventListener(name, draw);
    draw();
  }
}
