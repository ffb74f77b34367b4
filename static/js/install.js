/** The page as an app: a worker keeps what it is made of, so that it opens while the server cannot be reached. */

/** Has the worker installed; where there cannot be one, the page is as before. */
export function installWorker() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  // Whatever the worker fetches for later must not hold up what is needed now.
  const url = new URL("worker.js", document.baseURI);
  const begin = () => workers.register(url, { updateViaCache: "none" }).catch(() => {});
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}
