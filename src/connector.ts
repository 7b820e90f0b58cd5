/** What the author of a connector, a home or a destination needs; see CONTRIBUTING. */

export type { Change, FieldChange } from "./model/change.ts";
export { compileDecoder } from "./model/coerce.ts";
export type { Checkpoint, Cursor, Lane } from "./model/cursor.ts";
export type { DigestBuckets, DigestSum } from "./model/digest.ts";
export type {
  BadRecord,
  Problem,
  RecordKey,
  StreamRecord,
  Tombstone,
  Values,
} from "./model/record.ts";
export { recordKey } from "./model/record.ts";
export type { Field, StreamSchema, StreamTraits, WriteTraits } from "./model/schema.ts";
export { SyncError } from "./model/sync-error.ts";
export type { ScalarType, Value, ValueType } from "./model/value.ts";
export type {
  Capabilities,
  CaptureRequest,
  CaptureStep,
  CheckResult,
  Connector,
  Expectation,
  KeyMark,
  Page,
  ReadRequest,
  StreamHead,
  StreamQuery,
  WalkRange,
  WriteOperation,
  WriteOutcome,
} from "./ports/connector.ts";
export type {
  Destination,
  RowBatch,
  RowMark,
  SchemaChange,
  StoredRow,
  TableSpec,
  TransactionStep,
} from "./ports/destination.ts";
export type { Commit, Home, Lease, LogEntry } from "./ports/home.ts";
export type { HttpRequest, HttpResponse, HttpTransport } from "./ports/http.ts";
export type { Clock, Memory, Random, Secrets } from "./ports/runtime.ts";
