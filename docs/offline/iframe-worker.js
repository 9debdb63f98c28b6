/* A page opened from a folder may start no Worker: the search's then runs in a hidden frame, which tells and is told by messages of the same form. */
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.inner = frame.contentWindow;
      this.inner.document.open();
      this.inner.document.write("<!doctype html><title>search</title>");
      this.inner.document.close();
      const run = (source) => new Promise((done, failed) => {
        const script = this.inner.document.createElement("script");
        script.src = source;
        script.onload = done;
        script.onerror = () => failed(new Error(`${source} cannot be read`));
        this.inner.document.body.appendChild(script);
      });
      this.inner.importScripts = (...sources) => sources.reduce((before, source) => before.then(() => run(source)), Promise.resolve());
      this.inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = run(url);
    }
    postMessage(data) {
      this.ready.then(() => this.inner.dispatchEvent(new this.inner.MessageEvent("message", { data })));
    }
    terminate() {
      this.inner.frameElement.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
