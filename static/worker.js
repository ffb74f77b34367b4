/**
 * Keeps what the page is made of, so that it opens while the server cannot be reached. The server writes two lines above
 * these: VERSION, which is another one whenever a file is, and FILES, their names.
 *
 * The server is asked first, so a page is of the server's own version; what is kept is shown only where there is no
 * answer. Nothing else passes here: no question to /api or /v1, no socket.
 */

/* global VERSION, FILES */

const PREFIX = `voice_trio ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;

/** A page is not waited for any longer. */
const PATIENCE_MS = 4_000;

const PAGE = self.registration.scope;
const KEPT = new Set([PAGE, ...FILES.map((name) => new URL(`static/${name}`, PAGE).href)]);

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.search = url.hash = "";
  if (request.method !== "GET" || !KEPT.has(url.href)) return;
  event.respondWith(answer(request, url.href));
});

/** All of one version, or nothing. */
async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT].map((url) => new Request(url, { cache: "reload" })));
}

async function forgetOthers() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/**
 * @param {Request} request
 * @param {string} url without what is asked of the page itself
 */
async function answer(request, url) {
  const signal = request.mode === "navigate" ? AbortSignal.timeout(PATIENCE_MS) : undefined;
  try {
    const response = await fetch(request, { signal });
    // What stands in front of a server that is away says so.
    if (response.status < 500) return response;
    return (await kept(url)) ?? response;
  } catch (error) {
    const response = await kept(url);
    if (response) return response;
    throw error;
  }
}

/** @param {string} url */
async function kept(url) {
  return (await caches.open(CACHE)).match(url);
}
