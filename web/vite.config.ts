// Builds the UI into plain files that a strict Content-Security-Policy accepts: no inline script or
// style, no data: URIs. `npm run dev` answers /api/v1 from the mock, or from CAUSEWAY_URL when set.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "vite";

const realServer = process.env["CAUSEWAY_URL"];

const mockApi: Plugin = {
  name: "causeway-mock-api",
  apply: "serve",
  async configureServer(server) {
    if (realServer !== undefined || process.env["VITEST"] !== undefined) return;
    // By its full path: Vite runs a bundled copy of this file from another folder.
    const mockPath = pathToFileURL(join(server.config.root, "dev/mock_server.mjs")).href;
    const { createMock } = (await import(mockPath)) as {
      createMock: () => (request: unknown, response: unknown) => boolean;
    };
    const mock = createMock();
    server.middlewares.use((request, response, next) => {
      if (!mock(request, response)) next();
    });
  },
};

// One public name per tool is the exception to "no default exports": Vite looks for it.
export default defineConfig({
  plugins: [mockApi],
  build: {
    // The first versions with light-dark(), which the tokens use.
    target: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  ...(realServer === undefined ? {} : { server: { proxy: { "/api": realServer } } }),
});
