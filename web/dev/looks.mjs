// What is wrong with a page as it stands: what axe finds, and names that got out of hand.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
export const COLOURS = ["color-contrast"];

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of some rules, as axe tells them. */
export async function judge(page, rules) {
  await page.evaluate(axe);
  return (await page.evaluate((runOnly) => globalThis.axe.run({ runOnly, resultTypes: ["violations"] }), rules)).violations;
}

export const isSerious = ({ impact }) => impact === "serious" || impact === "critical";

export function violationText({ impact, id, help, nodes: [first, ...more] }) {
  return `${impact} ${id}: ${help} (${more.length + 1}), as ${first.html.slice(0, 160)} ${first.failureSummary?.split("\n").slice(1, 2).join(" ")}`;
}

/** Elements that names made, characters of names that are not shown as what they are, and a page wider than the screen.
 * Runs in the page. Fields hold texts as they are. */
export function outOfHand() {
  const found = [...document.querySelectorAll("#app :is(img, script, iframe)")].map((one) => `element ${one.outerHTML.slice(0, 80)}`);
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])/;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE && node.parentElement?.closest("textarea, .editor, datalist") !== null) continue;
    const texts = node.nodeType === Node.TEXT_NODE ? [node.data] : ["title", "aria-label"].map((name) => node.getAttribute(name) ?? "");
    for (const text of texts) if (hidden.test(text)) found.push(`hidden character in ${JSON.stringify(text.slice(Math.max(0, text.search(hidden) - 20)).slice(0, 60))} of ${(node.parentElement ?? node).tagName} ${(node.parentElement ?? node).className}`);
  }
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wider > 0) found.push(`${wider} px wider than the screen`);
  return found.slice(0, 5);
}
