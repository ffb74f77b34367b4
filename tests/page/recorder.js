// Runs before the page's own scripts: what goes to the loudspeaker also goes to a recorder, sample by sample.
(() => {
  const Original = window.AudioContext;
  if (!Original) return;
  const rate = window.forcedRate;
  window.AudioContext = class extends Original {
    constructor(options) {
      super(rate ? { ...options, sampleRate: rate } : options);
      window.heard = { rate: this.sampleRate, blocks: [], context: this };
    }
  };
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (window.recorderWorklet && to instanceof AudioDestinationNode) {
      const { context } = this;
      // Only where the test has the browser put the page's policy aside, which allows no scripts but the page's own.
      const file = URL.createObjectURL(new Blob([window.recorderWorklet], { type: "text/javascript" }));
      context.audioWorklet.addModule(file).then(() => {
        const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
        recorder.port.onmessage = ({ data }) => window.heard.blocks.push(data);
        connect.call(this, recorder);
      });
    }
    return connect.call(this, to, ...rest);
  };
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && window.heard) window.heard.escapedAt = window.heard.context.currentTime;
  }, { capture: true });
})();
