import { connectorKit } from "../../testing/connector-kit.ts";
import { createMemorySubject } from "../../testing/memory-subject.ts";

connectorKit("memory", { create: () => createMemorySubject() });
