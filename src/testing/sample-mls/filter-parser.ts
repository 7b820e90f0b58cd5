import type { Literal, Token } from "./filter-lexer.ts";
import { tokenize } from "./filter-lexer.ts";
import { badRequest } from "./request-error.ts";

/** A comparison operator. */
export type Operator = "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "has";

/** One side of a comparison. */
export type Operand =
  | { readonly kind: "property"; readonly name: string }
  | { readonly kind: "literal"; readonly literal: Literal }
  /** Miles from a property's place to a point. */
  | { readonly kind: "distance"; readonly name: string; readonly to: Geography }
  | { readonly kind: "now" };

/** A point with the reference system it was written in. */
export type Geography = Extract<Literal, { readonly kind: "geography" }>;

/** A parsed filter; `and` and `or` are flat lists, so that long key lists do not nest. */
export type Filter =
  | { readonly kind: "and" | "or"; readonly operands: readonly Filter[] }
  | { readonly kind: "not"; readonly operand: Filter }
  | {
      readonly kind: "compare";
      readonly operator: Operator;
      readonly left: Operand;
      readonly right: Operand;
    }
  | { readonly kind: "in"; readonly left: Operand; readonly list: readonly Literal[] }
  | { readonly kind: "truth"; readonly operand: Operand };

const OPERATORS: ReadonlySet<string> = new Set(["eq", "ne", "gt", "ge", "lt", "le", "has"]);
const RESERVED: ReadonlySet<string> = new Set([...OPERATORS, "and", "or", "not", "in"]);
const DEPTH_MAX = 100;

/**
 * Parses a `$filter`. The grammar is deliberately small (comparisons, `in`, `and`, `or`, `not`,
 * parentheses, `now()`, `geo.distance`); everything else is refused, as a strict server does.
 */
export function parseFilter(text: string): Filter {
  const parser = new FilterParser(tokenize(text));
  return parser.parse();
}

class FilterParser {
  readonly #tokens: readonly Token[];
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Filter {
    const filter = this.#list("or");
    if (this.#peek().kind !== "end") {
      throw this.#unexpected();
    }
    return filter;
  }

  #list(kind: "and" | "or"): Filter {
    const part = (): Filter => (kind === "or" ? this.#list("and") : this.#unary());
    const first = part();
    const operands = [first];
    while (this.#takeWord(kind)) {
      operands.push(part());
    }
    return operands.length === 1 ? first : { kind, operands };
  }

  #unary(): Filter {
    return this.#takeWord("not")
      ? this.#nested(() => ({ kind: "not", operand: this.#unary() }))
      : this.#primary();
  }

  #primary(): Filter {
    if (this.#takePunctuation("(")) {
      const inner = this.#nested(() => this.#list("or"));
      this.#expect(")");
      return inner;
    }
    const left = this.#operand();
    const token = this.#peek();
    if (token.kind === "word" && OPERATORS.has(token.text)) {
      this.#position += 1;
      const operator = token.text as Operator;
      return { kind: "compare", operator, left, right: this.#operand() };
    }
    return this.#takeWord("in")
      ? { kind: "in", left, list: this.#literals() }
      : { kind: "truth", operand: left };
  }

  #operand(): Operand {
    const token = this.#peek();
    if (token.kind === "literal") {
      this.#position += 1;
      return { kind: "literal", literal: token.literal };
    }
    if (token.kind !== "word" || RESERVED.has(token.text)) {
      throw this.#unexpected();
    }
    this.#position += 1;
    if (!this.#takePunctuation("(")) {
      return { kind: "property", name: token.text };
    }
    if (token.text === "geo.distance") {
      return this.#distance();
    }
    if (token.text !== "now") {
      throw badRequest(`Function '${token.text}' is not supported`);
    }
    this.#expect(")");
    return { kind: "now" };
  }

  /** What follows `geo.distance(`: a property and a point, either first. */
  #distance(): Operand {
    const operands = [this.#operand()];
    this.#expect(",");
    operands.push(this.#operand());
    this.#expect(")");
    const property = operands.find((each) => each.kind === "property");
    const point = operands.find((each) => each.kind === "literal")?.literal;
    if (property === undefined || point?.kind !== "geography") {
      throw badRequest("geo.distance takes a property and a geography point");
    }
    return { kind: "distance", name: property.name, to: point };
  }

  #literals(): Literal[] {
    const list: Literal[] = [];
    this.#expect("(");
    do {
      const token = this.#peek();
      if (token.kind !== "literal") {
        throw this.#unexpected();
      }
      this.#position += 1;
      list.push(token.literal);
    } while (this.#takePunctuation(","));
    this.#expect(")");
    return list;
  }

  #nested(parse: () => Filter): Filter {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) {
      throw badRequest("The $filter is nested too deeply");
    }
    const filter = parse();
    this.#depth -= 1;
    return filter;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: "end" };
  }

  #takeWord(text: string): boolean {
    const token = this.#peek();
    const isNext = token.kind === "word" && token.text === text;
    this.#position += isNext ? 1 : 0;
    return isNext;
  }

  #takePunctuation(text: string): boolean {
    const token = this.#peek();
    const isNext = token.kind === "punctuation" && token.text === text;
    this.#position += isNext ? 1 : 0;
    return isNext;
  }

  #expect(text: string): void {
    if (!this.#takePunctuation(text)) {
      throw this.#unexpected();
    }
  }

  #unexpected(): Error {
    const token = this.#peek();
    const shown =
      token.kind === "end" ? "end" : token.kind === "literal" ? token.literal.kind : token.text;
    return badRequest(`Unexpected '${shown}' in $filter`);
  }
}
