/** The typed client of a RESO Web API, for programs that only want to ask; see docs/client.md. */

export type { ResoClient } from "./client/client.ts";
export { createResoClient } from "./client/client.ts";
export type { ResoErrorKind } from "./client/errors.ts";
export {
  ResoAuthenticationError,
  ResoError,
  ResoNetworkError,
  ResoNotFoundError,
  ResoRateLimitError,
  ResoServerError,
  ResoTimeoutError,
  ResoValidationError,
} from "./client/errors.ts";
export type { Condition, FilterOf, LooseFilter } from "./client/filter-types.ts";
export type { ResoClientOptions, ResoWait } from "./client/options.ts";
export type {
  CountQuery,
  DeletedQuery,
  DeletedRecord,
  GetOptions,
  ListQuery,
  NearQuery,
  PropertySet,
  ResoList,
  ResoSet,
} from "./client/queries.ts";
export type { ResoProblem } from "./client/records.ts";
export type {
  AnyStream,
  AnyStreams,
  DecimalText,
  IntegerText,
  ResoValue,
  StreamShape,
  TimestampText,
} from "./client/shapes.ts";
