// Browsers start no web worker from a page that is opened as a file. The search of the site then
// runs in a hidden frame, which does what the search needs of a worker: messages to and fro.
if (location.protocol === "file:") {
  window.frameWorkers = new Map();
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc =
        "<script>self.postMessage = (data) => parent.frameWorkers.get(self).receive(data);</script>" +
        `<script src="${url}"></script>`;
      this.ready = new Promise((done) => { this.frame.onload = done; });
      document.body.append(this.frame);
      window.frameWorkers.set(this.frame.contentWindow, this);
    }
    receive(data) {
      this.dispatchEvent(new MessageEvent("message", { data }));
    }
    async postMessage(data) {
      await this.ready;
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
}
