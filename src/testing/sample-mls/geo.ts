import type { GeoPoint } from "./model.ts";

/** The earth's mean radius. */
const RADIUS_MILES = 3958.7613;

/** Miles between two points along the great circle, by the haversine formula. */
export function milesBetween(a: GeoPoint, b: GeoPoint): number {
  const [aEast, aNorth] = a.coordinates.map(radians) as [number, number];
  const [bEast, bNorth] = b.coordinates.map(radians) as [number, number];
  const half = (angle: number): number => Math.sin(angle / 2) ** 2;
  const share = half(bNorth - aNorth) + Math.cos(aNorth) * Math.cos(bNorth) * half(bEast - aEast);
  return 2 * RADIUS_MILES * Math.asin(Math.sqrt(Math.min(1, share)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
