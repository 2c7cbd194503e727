// Spans from a file: dropped anywhere on the page or chosen. Shows that it is on its way, then what arrived.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Imported } from "../../api/import.ts";
import { lineOf } from "../../base/text.ts";
import { formatBytes, plural } from "../../base/units.ts";
import { closeUpload, sendFile, upload, uploadFile, uploadSearch } from "../../state/upload_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { Modal } from "../../ui/modal.tsx";
import "./upload.css";

export function UploadButton() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="button icon" aria-label="Upload a file of spans" title="Upload a file of OTLP/JSON, Jaeger JSON or Zipkin v2 JSON; or drop it on this page" onClick={() => input.current?.click()}>
        <Icon name="upload" />
      </button>
      <input
        ref={input} class="upload-input" type="file" accept=".json,.jsonl,.ndjson,application/json" tabIndex={-1} aria-label="File of spans"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file !== undefined) void sendFile(file);
        }}
      />
    </>
  );
}

/** The place to drop a file, which is the whole page, and what became of the last one. */
export function Upload() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      // Between two elements of the page it is still over the page.
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      void sendFile(file);
    };
    document.addEventListener("dragover", drag);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", drag);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
      closeUpload();
    };
  }, []);
  return (
    <>
      {over ? <div class="upload-drop"><p><Icon name="upload" />Drop a file of OTLP, Jaeger or Zipkin JSON</p></div> : null}
      <Report />
    </>
  );
}

function Report() {
  const file = uploadFile.value;
  const state = upload.state.value;
  return (
    <Modal class="upload" open={file !== null} close={closeUpload} title="upload-title" sticky>
      <h2 id="upload-title">{file === null ? "" : lineOf(file.name, 80)}</h2>
      {file === null ? null : state.status === "failed" ? (
        <p class="failed" role="alert">{state.error.message}</p>
      ) : state.value === null ? (
        <p role="status">Sending {formatBytes(file.bytes)}…</p>
      ) : (
        <Done imported={state.value} />
      )}
      <div class="actions">
        {uploadSearch.value === null ? null : <a class="button primary" href={uploadSearch.value} onClick={closeUpload}>Search in their time</a>}
        <button type="button" class="button" onClick={closeUpload}>{state.status === "loading" ? "Cancel" : "Close"}</button>
      </div>
    </Modal>
  );
}

function Done({ imported }: { readonly imported: Imported }) {
  const { spans, traces, duplicates, rejected, traceIds } = imported;
  const aside = [duplicates > 0 ? `${plural(duplicates, "span")} were here already` : "", rejected > 0 ? `${plural(rejected, "span")} could not be taken` : ""].filter((one) => one !== "");
  return (
    <>
      <p role="status">
        {plural(spans, "span")} of {plural(traces, "trace")} arrived{aside.length === 0 ? "" : `; ${aside.join(", ")}`}.
      </p>
      {traceIds.length === 0 ? null : (
        <ul aria-label="Traces of the file">
          {traceIds.map((id) => <li key={id}><a href={`/trace/${encodeURIComponent(id)}`} onClick={closeUpload}><code>{lineOf(id, 40)}</code></a></li>)}
          {traces > traceIds.length ? <li>and {traces - traceIds.length} more</li> : null}
        </ul>
      )}
    </>
  );
}
