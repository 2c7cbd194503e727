// Values from the server: what is shown while they load, fail, are replaced or cancelled.
import { expect, test } from "vitest";
import { CancelledError, Remote } from "./remote.ts";

/** A request that is answered from outside, and notices when nobody wants it any more. */
function request(): { answer: (value: string) => void; run: (signal: AbortSignal) => Promise<string>; aborted: () => boolean } {
  let answer = (_: string): void => {};
  let signal: AbortSignal | null = null;
  return {
    answer: (value) => answer(value),
    run: (given) => {
      signal = given;
      return new Promise((resolve, reject) => {
        answer = resolve;
        given.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      });
    },
    aborted: () => signal?.aborted === true,
  };
}

test("an old value stays while a newer one loads", async () => {
  const remote = new Remote<string>();
  const [first, second] = [request(), request()];
  const done = remote.load(first.run);
  first.answer("one");
  await done;
  const again = remote.load(second.run);
  expect(remote.state.value).toEqual({ status: "loading", value: "one" });
  second.answer("two");
  await again;
  expect(remote.state.value).toEqual({ status: "ready", value: "two" });
});

test("an answer that was replaced is dropped", async () => {
  const remote = new Remote<string>();
  const [first, second] = [request(), request()];
  const done = remote.load(first.run);
  const again = remote.load(second.run);
  expect(first.aborted()).toBe(true);
  await done;
  second.answer("two");
  await again;
  expect(remote.state.value).toEqual({ status: "ready", value: "two" });
});

test("cancelling says so, and does nothing when nothing loads", async () => {
  const remote = new Remote<string>();
  const only = request();
  const done = remote.load(only.run);
  remote.cancel();
  await done;
  expect(only.aborted()).toBe(true);
  expect(remote.state.value).toMatchObject({ status: "failed", error: expect.any(CancelledError) as unknown });
  const quiet = new Remote<string>();
  await quiet.load(() => Promise.resolve("value"));
  quiet.cancel();
  expect(quiet.state.value).toEqual({ status: "ready", value: "value" });
});

test("a value is changed only while it is there", async () => {
  const remote = new Remote<string>();
  remote.update((value) => `${value}!`);
  expect(remote.state.value).toEqual({ status: "loading", value: null });
  await remote.load(() => Promise.resolve("value"));
  remote.update((value) => `${value}!`);
  expect(remote.state.value).toEqual({ status: "ready", value: "value!" });
});

test("a failure keeps what was there", async () => {
  const remote = new Remote<string>();
  await remote.load(() => Promise.resolve("value"));
  await remote.load(() => Promise.reject(new Error("no")));
  expect(remote.state.value).toMatchObject({ status: "failed", value: "value" });
});
