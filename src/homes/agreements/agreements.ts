import type { Agreements } from "../../ports/agreements.ts";
import { createConflicts } from "./conflicts.ts";
import { createJournal } from "./journal.ts";
import { createLeftOut } from "./left-out.ts";
import { createLinks } from "./links.ts";
import { createPlans } from "./plans.ts";
import type { AgreementSql } from "./sql.ts";
import { createStaging } from "./staging.ts";

/** What a home on SQL keeps for reconcile syncs; both databases share every statement. */
export function createAgreements(sql: AgreementSql): Agreements {
  return {
    ...createLinks(sql),
    ...createLeftOut(sql),
    ...createStaging(sql),
    ...createPlans(sql),
    ...createJournal(sql),
    ...createConflicts(sql),
  };
}
