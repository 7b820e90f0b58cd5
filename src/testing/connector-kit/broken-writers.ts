import type { Connector, WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import type { Breach } from "./breach.ts";

const withOperations = (
  connector: Connector,
  change: (operation: WriteOperation) => WriteOperation,
): Connector => ({
  ...connector,
  write: async (query, operations, signal) =>
    (await connector.write?.(query, operations.map(change), signal)) ?? [],
});

const withOutcomes = (
  connector: Connector,
  change: (
    outcomes: readonly WriteOutcome[],
    operations: readonly WriteOperation[],
  ) => readonly WriteOutcome[],
): Connector => ({
  ...connector,
  write: async (query, operations, signal) =>
    change((await connector.write?.(query, operations, signal)) ?? [], operations),
});

const never = new AbortController().signal;

/** Ways of being wrong that show in what is written. */
export const WRITE_BREACHES: readonly Breach[] = [
  {
    name: "writes whatever is expected",
    foundBy: "a broken expectation writes nothing and tells what is there",
    breaks: (connector) =>
      withOperations(connector, (operation) =>
        operation.kind === "create" ? operation : { ...operation, expected: { values: [] } },
      ),
  },
  {
    name: "writes null for what is absent",
    foundBy: "an update writes its values and leaves absent ones alone",
    breaks: (connector) => ({
      ...connector,
      write: async (query, operations, signal) => {
        const filled = operations.map((operation) => {
          if (operation.kind !== "update") return operation;
          const values = query.schema.fields.map(({ name, nullable }, index) =>
            nullable && name !== "ModifiedAt"
              ? (operation.values[index] ?? null)
              : operation.values[index],
          );
          return { ...operation, values };
        });
        return (await connector.write?.(query, filled, signal)) ?? [];
      },
    }),
  },
  {
    name: "tells what it meant to write instead of what is stored",
    foundBy: "hostile values come back as promised",
    breaks: (connector) =>
      withOutcomes(connector, (outcomes, operations) =>
        outcomes.map((outcome, at) => {
          const operation = operations[at];
          if (outcome.kind !== "written" || outcome.stored === null) return outcome;
          if (operation === undefined || operation.kind === "delete") return outcome;
          const { stored } = outcome;
          const values = stored.values.map((value, index) => operation.values[index] ?? value);
          return { ...outcome, stored: { ...stored, values } };
        }),
      ),
  },
  {
    name: "gives outcomes in another order",
    foundBy: "outcomes stand in the order of their operations",
    breaks: (connector) => withOutcomes(connector, (outcomes) => outcomes.toReversed()),
  },
  {
    name: "passes over refused records",
    foundBy: "a refused record leaves the rest written",
    breaks: (connector) =>
      withOutcomes(connector, (outcomes) => outcomes.filter(({ kind }) => kind !== "rejected")),
  },
  {
    name: "writes although it was stopped",
    foundBy: "an aborted signal writes nothing",
    breaks: (connector) => ({
      ...connector,
      write: async (query, operations, signal) => {
        const outcomes = (await connector.write?.(query, operations, never)) ?? [];
        signal.throwIfAborted();
        return outcomes;
      },
    }),
  },
  {
    name: "splits batches that are too large",
    foundBy: "a batch as large as allowed is written, a larger one refused",
    breaks: (connector) => ({
      ...connector,
      write: async (query, operations, signal) => {
        const outcomes: WriteOutcome[] = [];
        for (const operation of operations) {
          outcomes.push(...((await connector.write?.(query, [operation], signal)) ?? []));
        }
        return outcomes;
      },
    }),
  },
  {
    name: "takes a create over what is there for a success",
    foundBy: "a create over what is there is a conflict with it",
    breaks: (connector) =>
      withOutcomes(connector, (outcomes, operations) =>
        outcomes.map((outcome, at) =>
          outcome.kind === "conflict" && operations[at]?.kind === "create"
            ? { kind: "written", stored: outcome.current }
            : outcome,
        ),
      ),
  },
  {
    name: "makes a record again for a create that it knows",
    foundBy: "the same create again makes nothing, where that is claimed",
    breaks: (connector) => {
      let count = 0;
      return withOperations(connector, (operation) => {
        count += 1;
        return { ...operation, id: `${operation.id} ${count}` };
      });
    },
  },
];
