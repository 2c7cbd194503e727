// Stands where an answer will be.
import "./page.css";

export function PageLoading({ label, rows = 8, text = "" }: { readonly label: string; readonly rows?: number; readonly text?: string }) {
  return (
    <div class="page-loading" role="status" aria-label={label}>
      {text === "" ? null : <p>{text}</p>}
      {Array.from({ length: rows }, (_, i) => <i key={i} />)}
    </div>
  );
}
