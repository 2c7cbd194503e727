// What a person would do before looking, as words: `press=KEY`, `click=BUTTON`, `type=FIELD:TEXT`.
export async function act(page, wish) {
  const [, verb, what = ""] = /^(press|click|type)=(.*)$/.exec(wish) ?? [];
  if (verb === "press") await page.keyboard.press(what);
  if (verb === "click") await page.getByRole("button", { name: what }).first().click();
  if (verb === "type") {
    const [field, text] = what.split(":");
    await page.getByLabel(field, { exact: true }).first().click();
    await page.keyboard.press("End");
    await page.keyboard.type(` ${text}`);
  }
  if (verb !== undefined) await page.waitForTimeout(300);
}
