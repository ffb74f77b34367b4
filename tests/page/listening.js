// A server of node's for one test.

import { once } from "node:events";

/**
 * Have `server` listen on a free port until the test `t` is over.
 *
 * @param {import("node:test").TestContext} t
 * @param {import("node:http").Server} server
 * @returns {Promise<string>} its address, without a slash at the end
 */
export async function listening(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return `http://127.0.0.1:${port}`;
}
