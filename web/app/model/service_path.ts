// Where the page of a service, or of one of its operations, is.
import { addressPart } from "../base/text.ts";

/** Empty names have no page of their own: an operation without a name leads to its service. */
export const servicePath = (service: string, operation = ""): string => `/services/${[service, ...(operation === "" ? [] : [operation])].map(addressPart).join("/")}`;
