/** Gives every set and enum of a service a TypeScript name that nothing else has. */
export interface TypeNames {
  /** Asked for all sets first, they get the plain names. */
  ofSet(name: string): string;
  /** By the qualified name, of which the last part is used. */
  ofEnum(qualified: string): string;
}

export function createTypeNames(reserved: readonly string[]): TypeNames {
  const taken = new Set(reserved);
  const given = new Map<string, string>();
  const name = (id: string, source: string, suffix: string): string => {
    const known = given.get(id);
    if (known !== undefined) return known;
    const plain = identifier(source);
    let free = taken.has(plain) ? plain + suffix : plain;
    for (let number = 2; taken.has(free); number++) free = `${plain}${suffix}${number}`;
    taken.add(free);
    given.set(id, free);
    return free;
  };
  return {
    ofSet: (set) => name(`set ${set}`, set, "Record"),
    ofEnum: (qualified) => name(`enum ${qualified}`, lastPart(qualified), "Value"),
  };
}

function lastPart(qualified: string): string {
  return qualified.slice(qualified.lastIndexOf(".") + 1);
}

/** The text as a type's name: what may not stand in one is left out, and it begins in upper case. */
function identifier(text: string): string {
  const parts = text.split(/[^A-Za-z0-9_$]+/).filter((part) => part !== "");
  const joined = parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
  return /^[A-Za-z_$]/.test(joined) ? joined : `_${joined}`;
}

/** A property's name as a type writes it. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
