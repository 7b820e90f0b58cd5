import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { fitsType, saysTheSame } from "../../core/hostile-values.ts";
import {
  type CertificateEntry,
  printCertificate,
  takeCertificate,
} from "../../engine/certificate/take-certificate.ts";
import { type Behaviour, never, REFUSED, type SubjectWrites } from "./subject.ts";
import { eachWriter } from "./writing.ts";

/** What survives a write and a read, value by value. */
export function certificateBehaviours(behaviour: Behaviour): void {
  behaviour("hostile values come back as promised", async (subject, t) => {
    await eachWriter(subject, t, async ({ schema, writes }) => {
      const fresh = (): ReturnType<SubjectWrites["fresh"]> => writes.fresh(schema.name);
      const { connector } = subject;
      const options = { connector, schema, fresh, id: () => `certificate ${randomUUID()}` };
      const entries = await takeCertificate(options, never);
      const breaches = entries.filter((entry) => !isAsPromised(writes, entry));
      assert.deepEqual(breaches.map(inWords), []);
      t.diagnostic(printCertificate(entries));
    });
  });
}

function isAsPromised(writes: SubjectWrites, entry: CertificateEntry): boolean {
  const { stream, field, type, value, fate, stored } = entry;
  const promise = writes.promise?.(stream, field, value);
  if (promise === REFUSED) return fate === "refused";
  if (promise === undefined) return fate === "exact" || !fitsType(type, value);
  if (promise === null || stored === undefined || stored === null) return promise === stored;
  return saysTheSame(type, stored, promise);
}

const inWords = ({ stream, field, name, fate, stored, problem }: CertificateEntry): string =>
  `${stream}.${field}: ${name} was ${fate} (${problem ?? JSON.stringify(stored)?.slice(0, 60)})`;
