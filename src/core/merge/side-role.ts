import type { MergeRules, SideRole } from "../../model/reconcile.ts";

export function roleOf(rules: MergeRules, side: string): SideRole | undefined {
  return rules.roles.find((role) => role.side === side);
}

/** True when the side's value of the field counts. */
export function isRead(rules: MergeRules, side: string, index: number): boolean {
  const direction = roleOf(rules, side)?.directions[index];
  return direction === "read" || direction === "both";
}

/** True when the side is given the field in a record that is created there. */
export function isWritten(rules: MergeRules, side: string, index: number): boolean {
  const direction = roleOf(rules, side)?.directions[index];
  return direction === "write" || direction === "both";
}

/** True when the side is told what becomes of the field in a record that it has. */
export function isTold(rules: MergeRules, side: string, index: number): boolean {
  return roleOf(rules, side)?.update === true && isWritten(rules, side, index);
}
