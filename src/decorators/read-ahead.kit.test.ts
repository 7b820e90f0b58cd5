import { connectorKit } from "../testing/connector-kit.ts";
import { createMemorySubject } from "../testing/memory-subject.ts";
import { readAhead } from "./read-ahead.ts";

connectorKit("read-ahead over memory", { create: () => createMemorySubject(readAhead) });
