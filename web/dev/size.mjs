// What a browser loads for search and timeline, compressed, against the budget: node dev/size.mjs [dist].
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BYTES_MAX = 100_000;
const [dist = "dist"] = process.argv.slice(2);
const page = readFileSync(join(dist, "index.html"), "utf8");
const files = ["index.html", ...[...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])];
let sum = 0;
for (const file of files) {
  const bytes = gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
  sum += bytes;
  process.stdout.write(`${String(bytes).padStart(7)}  ${file}\n`);
}
process.stdout.write(`${String(sum).padStart(7)}  of ${BYTES_MAX} bytes\n`);
process.exitCode = sum > BYTES_MAX ? 1 : 0;
