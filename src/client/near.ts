import { requireFields } from "../connectors/odata/streams.ts";
import { canonicalDecimal } from "../model/decimal.ts";
import { invalidRequest } from "./errors.ts";
import type { SetModel } from "./service.ts";

export interface Circle {
  readonly latitude: number;
  readonly longitude: number;
  readonly miles: number;
  readonly field?: string;
}

const USUAL_FIELD = "GeoLocation";
/** Latitude and longitude as GPS has them, where `$metadata` does not say. */
const USUAL_SRID = "4326";

/**
 * `geo.distance(GeoLocation,geography'SRID=3956;POINT(-111.9 40.6)') lt 2`: longitude first, the
 * reference system as `$metadata` declares it for the field. Throws ResoValidationError.
 */
export function nearFilter(model: SetModel, circle: Circle): string {
  const latitude = decimal(model, "latitude", circle.latitude, [-90, 90]);
  const longitude = decimal(model, "longitude", circle.longitude, [-180, 180]);
  const miles = decimal(model, "miles", circle.miles, [0, 12_500]);
  const field = geoField(model, circle.field);
  const srid = model.properties.get(field)?.srid ?? USUAL_SRID;
  return `geo.distance(${field},geography'SRID=${srid};POINT(${longitude} ${latitude})') lt ${miles}`;
}

function geoField(model: SetModel, named: string | undefined): string {
  const places = [...model.properties.values()]
    .filter(({ type }) => type.kind === "primitive" && type.edm.startsWith("Geography"))
    .map(({ name }) => name);
  const field = named ?? (places.includes(USUAL_FIELD) ? USUAL_FIELD : places[0]);
  if (field === undefined) {
    throw invalidRequest(`Stream "${model.name}" has no field with a place.`, model.name);
  }
  requireFields(model.stream.schema, [field], "near");
  if (places.includes(field)) return field;
  throw invalidRequest(`Field "${field}" of stream "${model.name}" holds no place.`, model.name);
}

function decimal(
  model: SetModel,
  name: string,
  value: number,
  [min, max]: readonly [number, number],
): string {
  const text = canonicalDecimal(String(value));
  if (text !== undefined && value >= min && value <= max) return text;
  throw invalidRequest(
    `\`${name}\` is "${value}"; expected a number from ${min} to ${max}.`,
    model.name,
  );
}
