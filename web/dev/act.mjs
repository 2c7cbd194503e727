// What a person would do before looking, as words: `press=KEY`, `click=BUTTON`, `type=FIELD:TEXT`,
// `upload=CONTENT OF A FILE`.
export async function act(page, wish) {
  const [, verb, what = ""] = /(?:^|&)(press|click|type|upload)=(.*)$/.exec(wish) ?? [];
  if (verb === "press") await page.keyboard.press(what);
  if (verb === "click") await page.getByRole("button", { name: what }).first().click();
  if (verb === "type") {
    const [field, text] = what.split(":");
    await page.getByLabel(field, { exact: true }).first().click();
    await page.keyboard.press("End");
    await page.keyboard.type(` ${text}`);
  }
  if (verb === "upload") await page.getByLabel("File of spans", { exact: true }).setInputFiles({ name: "spans.json", mimeType: "application/json", buffer: Buffer.from(what) });
  if (verb !== undefined) await page.waitForTimeout(300);
}
