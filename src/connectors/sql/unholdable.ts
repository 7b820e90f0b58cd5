/** A value that a column cannot hold exactly, with the reason in words. */
export class Unholdable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}
