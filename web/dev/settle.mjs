// Waits until a page has come to rest: no request is under way, and neither the address nor a request has changed for a
// moment. Addresses are written a little after what they tell, and lists are asked for a little after the last key.
const QUIET_MS = 350;
const LOOK_MS = 50;
const LONGEST_MS = 10_000;

export function settler(page) {
  let open = 0;
  let changed = Date.now();
  const count = (by) => (request) => {
    // Streams and loads of whole pages end when they like; the latter are waited for where they are asked for.
    if (request.resourceType() === "eventsource" || request.isNavigationRequest()) return;
    open += by;
    changed = Date.now();
  };
  page.on("request", count(1));
  page.on("requestfinished", count(-1));
  page.on("requestfailed", count(-1));
  return async () => {
    const begun = Date.now();
    changed = begun;
    for (let address = ""; Date.now() - begun < LONGEST_MS; await page.waitForTimeout(LOOK_MS)) {
      // Answered by the page itself, so a page that is busy drawing is not taken for one that rests.
      const now = await page.evaluate(() => window.location.href);
      if (now !== address) changed = Date.now();
      address = now;
      if (open <= 0 && Date.now() - changed >= QUIET_MS) return;
    }
  };
}
