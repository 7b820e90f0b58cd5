import type { Value } from "./value.ts";

/** What an expression can see. Values are canonical; a name that is not there is an error. */
export interface ExpressionScope {
  readonly field?: string;
  /** The last agreed value of the field; null where nothing was agreed. */
  readonly base?: Value;
  /** By side: what it wants. */
  readonly value?: Readonly<Record<string, Value>>;
  /** By side: when it wrote that (canonical timestamp), where that is known. */
  readonly at?: Readonly<Record<string, string>>;
  /** By side, then by field: all that the side says. */
  readonly record?: Readonly<Record<string, Readonly<Record<string, Value>>>>;
  /** When the run began (canonical timestamp). */
  readonly now?: string;
}

/** A compiled expression. Pure; throws an Error with a sentence for people when it cannot tell. */
export interface Expression {
  /** As it was written. */
  readonly text: string;
  readonly evaluate: (scope: ExpressionScope) => Value;
}

/** A compiled expression over the fields of one record, by name. Pure; throws as Expression does. */
export interface RecordExpression {
  readonly text: string;
  readonly evaluate: (fields: Readonly<Record<string, Value>>) => Value;
}
