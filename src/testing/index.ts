/** The conformance kits, the in-memory system, the simulated world and the sample systems. */

export { createMemoryConnector } from "../connectors/memory/connector.ts";
export { createMemoryDestination } from "../connectors/memory/destination.ts";
export { createMemorySystem } from "../connectors/memory/system.ts";
export {
  type CertificateEntry,
  type CertificateOptions,
  printCertificate,
  takeCertificate,
} from "../engine/certificate/take-certificate.ts";
export { createMemoryHome } from "../homes/memory/home.ts";
export {
  type ConnectorKitOptions,
  type ConnectorSubject,
  type NamedValues,
  REFUSED,
  type SubjectPeople,
  type SubjectWrites,
} from "./connector-kit/subject.ts";
export { connectorKit } from "./connector-kit.ts";
export { destinationKit } from "./destination-kit.ts";
export { type FileStoreKitOptions, type FileStoreSubject, fileStoreKit } from "./file-store-kit.ts";
export { homeKit } from "./home-kit.ts";
export { type Proof, type ProvenStream, proveReplica } from "./prove-replica.ts";
export { type Replay, replayChanges } from "./replay-changes.ts";
export {
  type InventoryAuth,
  type InventoryFault,
  type InventoryItem,
  type InventoryPaging,
  type InventoryRequest,
  type ItemValues,
  type SampleInventory,
  type SampleInventoryOptions,
  startSampleInventory,
} from "./sample-inventory/index.ts";
export {
  type FaultKind,
  type FaultRequest,
  type LiveDay,
  type LiveRequest,
  type SampleBehavior,
  type SampleControl,
  type SampleData,
  type SampleFileSettings,
  type SampleMls,
  type SampleMlsOptions,
  type SampleStats,
  startSampleMls,
  type TruthRecord,
} from "./sample-mls/index.ts";
export { runWorld, type WorldResult } from "./simulation/world.ts";
