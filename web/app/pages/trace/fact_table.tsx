// Names and values in two columns; ids and times can be copied.
import { CopyButton } from "../../ui/copy_button.tsx";
import { Text } from "../../ui/text.tsx";
import "./fact_table.css";

/** Name, value, copyable, and the exact value for those who hover. An empty name continues the one above. */
export type Fact = readonly [name: string, value: string, copyable?: boolean, exact?: string];

export function FactTable({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="fact-table">
      {facts.map(([name, value, copyable, exact]) => (
        <>
          <dt>{name}</dt>
          <dd title={exact ?? ""}>
            <span class={copyable === true ? "mono" : ""}>
              <Text value={value} />
            </span>
            {copyable === true ? <CopyButton text={value} what={name === "" ? "time" : name} /> : null}
          </dd>
        </>
      ))}
    </dl>
  );
}
