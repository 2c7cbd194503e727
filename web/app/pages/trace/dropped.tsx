// How many attributes, events or links the sender says it left out.
import { plural } from "../../base/units.ts";
import "./dropped.css";

export function Dropped({ count, noun }: { readonly count: number; readonly noun: string }) {
  return count === 0 ? null : <p class="dropped">{plural(count, noun)} dropped by the sender</p>;
}
