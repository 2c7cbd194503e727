// A server without spans: where to send them and how, ready to copy. The page asks again by itself and
// turns into the search as soon as a trace is there.
import { useState } from "preact/hooks";
import { present } from "../../base/assert.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { RECIPES } from "./recipes.ts";
import { UploadButton } from "./upload.tsx";
import "./first_span.css";

/** The server's own machine as this browser calls it. */
function serverHost(): string {
  const { hostname } = window.location;
  return hostname === "localhost" || hostname === "" ? "127.0.0.1" : hostname;
}

export function FirstSpan() {
  const host = serverHost();
  return (
    <main class="first-span">
      <p class="waiting" role="status">
        <i />
        Waiting for the first span – this page fills itself
      </p>
      <h1>Send the first trace</h1>
      <p class="lead">
        Causeway is running and has no spans yet. Point any OpenTelemetry SDK or collector at one of these addresses; no key and no
        configuration is needed.
      </p>
      <dl class="endpoints">
        <Endpoint name="OTLP over gRPC" url={`http://${host}:4317`} />
        <Endpoint name="OTLP over HTTP (protobuf or JSON)" url={`http://${host}:4318`} />
      </dl>
      <Recipes host={host} />
      <p class="demo">
        No instrumented program at hand? <code>causeway demo</code> sends the traces of a simulated shop. Or drop a file of OTLP, Jaeger or Zipkin JSON here. <UploadButton />
      </p>
    </main>
  );
}

function Endpoint({ name, url }: { readonly name: string; readonly url: string }) {
  return (
    <div class="endpoint">
      <dt>{name}</dt>
      <dd>
        {url}
        <CopyButton text={url} what={`${name} address`} />
      </dd>
    </div>
  );
}

function Recipes({ host }: { readonly host: string }) {
  const [index, setIndex] = useState(0);
  const recipe = present(RECIPES[index], "recipe");
  const text = recipe.text(host);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = (index + step + RECIPES.length) % RECIPES.length;
    setIndex(next);
    document.getElementById(`recipe-tab-${next}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Ways to send spans" onKeyDown={move}>
        {RECIPES.map((one, i) => (
          <button
            key={one.name} id={`recipe-tab-${i}`} type="button" role="tab" class="button" aria-selected={i === index} aria-controls="recipe"
            tabIndex={i === index ? 0 : -1} onClick={() => setIndex(i)}
          >
            {one.name}
          </button>
        ))}
      </div>
      <div class="recipe" id="recipe" role="tabpanel" aria-labelledby={`recipe-tab-${index}`}>
        <p>{recipe.hint}</p>
        <pre tabIndex={0}>{text}</pre>
        <CopyButton text={text} what={`${recipe.name} commands`} label="Copy" />
      </div>
    </>
  );
}
