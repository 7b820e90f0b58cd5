import type { XmlElement } from "./metadata-xml.ts";

/** Finds annotations, whether they stand inside their element or in an `Annotations` of their own. */
export interface Annotations {
  /** The text of the term with this last part of its name, on an element or its target path. */
  of(xml: XmlElement, target: string, term: string): string | undefined;
  /** True when the term is there and does not say false. */
  isTrue(xml: XmlElement, target: string, term: string): boolean;
}

/** Collects the annotations that name their target by its path. */
export function readAnnotations(
  schemas: readonly XmlElement[],
  qualify: (name: string) => string,
): Annotations {
  const elsewhere = new Map<string, XmlElement[]>();
  for (const annotations of schemas.flatMap((schema) => schema.children("Annotations"))) {
    const [type = "", ...path] = (annotations.attribute("Target") ?? "").split("/");
    const target = [qualify(type), ...path].join("/");
    const known = elsewhere.get(target) ?? [];
    elsewhere.set(target, [...known, ...annotations.children("Annotation")]);
  }
  const find = (xml: XmlElement, target: string, term: string): XmlElement | undefined => {
    // Vendors write the vocabulary's namespace or an alias of it; the last part tells them apart.
    const isTerm = (annotation: XmlElement): boolean =>
      annotation.attribute("Term")?.split("#")[0]?.split(".").at(-1) === term;
    return xml.children("Annotation").find(isTerm) ?? elsewhere.get(target)?.find(isTerm);
  };
  return {
    of: (xml, target, term) => {
      const annotation = find(xml, target, term);
      return annotation?.attribute("String") ?? annotation?.children("String")[0]?.text;
    },
    isTrue: (xml, target, term) => {
      const annotation = find(xml, target, term);
      return annotation !== undefined && annotation.attribute("Bool") !== "false";
    },
  };
}
