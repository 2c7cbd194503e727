// A file that is on its way to the server, and what became of it.
import { signal } from "@preact/signals";
import { importFile, type Imported } from "../api/import.ts";
import { runSql } from "../api/sql.ts";
import { importedTimesSql, searchOfImported } from "../model/imported.ts";
import { navigate } from "./location.ts";
import { Remote } from "./remote.ts";
import { reload } from "./search_state.ts";

export interface UploadFile {
  readonly name: string;
  readonly bytes: number;
}

/** null = no file was given; then nothing is shown. */
export const uploadFile = signal<UploadFile | null>(null);
export const upload = new Remote<Imported>();
/** The search that finds what was sent, once it is known when that was. */
export const uploadSearch = signal<string | null>(null);

/** One trace is opened at once; of several it is told how many there are. */
export async function sendFile(file: File): Promise<void> {
  uploadFile.value = { name: file.name, bytes: file.size };
  uploadSearch.value = null;
  await upload.load((signal) => importFile(file, signal), false);
  const { status, value } = upload.state.peek();
  if (status !== "ready" || value === null) return;
  const [only] = value.traceIds;
  if (value.traces === 1 && only !== undefined && value.rejected === 0) {
    closeUpload();
    navigate(`/trace/${only}`);
    return;
  }
  reload();
  if (value.traceIds.length === 0) return;
  try {
    const times = await runSql(importedTimesSql(value.traceIds), { rowsMax: 1 });
    uploadSearch.value = searchOfImported(times.rows[0] ?? []);
  } catch {
    // The traces are listed one by one all the same.
  }
}

export function closeUpload(): void {
  upload.stop();
  uploadFile.value = null;
}
