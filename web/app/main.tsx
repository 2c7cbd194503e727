// The entry: shared styles (first, so that components can refine them), links, and which page belongs to
// which address.
import "./ui/tokens.css";
import "./ui/base.css";
import { render } from "preact";
import { present } from "./base/assert.ts";
import { SearchPage } from "./pages/search/search_page.tsx";
import { lazy } from "./ui/lazy.tsx";
import { TracePage } from "./pages/trace/trace_page.tsx";
import { followLinks, place } from "./state/location.ts";
import { Notice } from "./ui/notice.tsx";
import { PageHeader } from "./ui/page_header.tsx";
import "./state/preferences.ts";

const ComparePage = lazy(() => import("./pages/compare/compare_page.tsx").then((file) => file.ComparePage));
const ClocksPage = lazy(() => import("./pages/clocks/clocks_page.tsx").then((file) => file.ClocksPage));
const FindingsPage = lazy(() => import("./pages/findings/findings_page.tsx").then((file) => file.FindingsPage));
const GroupPage = lazy(() => import("./pages/findings/group_page.tsx").then((file) => file.GroupPage));
const ServicesPage = lazy(() => import("./pages/services/services_page.tsx").then((file) => file.ServicesPage));
const ServicePage = lazy(() => import("./pages/services/service_page.tsx").then((file) => file.ServicePage));
const OperationPage = lazy(() => import("./pages/services/operation_page.tsx").then((file) => file.OperationPage));
const SqlPage = lazy(() => import("./pages/sql/sql_page.tsx").then((file) => file.SqlPage));

/** A part of an address as it was before it was put there. */
function nameOf(part: string | undefined): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    return part;
  }
}

function App() {
  const { path, params } = place.value;
  if (path === "/" || path === "/search") return <SearchPage />;
  if (path === "/compare") return <ComparePage />;
  if (path === "/clocks") return <ClocksPage />;
  if (path === "/findings") return <FindingsPage />;
  const group = /^\/findings\/([0-9a-fA-F]{1,64})\/?$/.exec(path)?.[1];
  if (group !== undefined) return <GroupPage key={group} groupKey={group.toLowerCase()} />;
  if (path === "/services") return <ServicesPage />;
  const [, service, operation] = /^\/services\/([^/]+)\/?([^/]+)?$/.exec(path)?.map(nameOf) ?? [];
  if (service !== undefined && operation !== undefined) return <OperationPage key={path} service={service} operation={operation} />;
  if (service !== undefined) return <ServicePage key={path} service={service} />;
  if (path === "/sql") return <SqlPage />;
  const traceId = /^\/trace\/([0-9a-fA-F]{1,32})\/?$/.exec(path)?.[1];
  if (traceId !== undefined) {
    const id = traceId.toLowerCase().padStart(32, "0");
    return <TracePage key={id} traceId={id} params={params} />;
  }
  return (
    <>
      <PageHeader home="/search" />
      <Notice icon="search" title="There is no page at this address">
        <p>A trace is at /trace/ followed by its ID in hexadecimal digits.</p>
        <div class="actions">
          <a class="button" href="/search">Search traces</a>
        </div>
      </Notice>
    </>
  );
}

const root = present(document.getElementById("app"), "#app");
followLinks(root);
render(<App />, root);
