import type { FileAnswer, FileSource } from "../ports/files.ts";
import type { HttpRequest, HttpTransport } from "../ports/http.ts";

/**
 * Lets requests for files pass through decorators of HttpTransport, such as those that keep quotas.
 * They see each answer when it begins, with the size that it announces and no body.
 */
export function limitFiles(
  source: FileSource,
  decorate: (inner: HttpTransport) => HttpTransport,
): FileSource {
  const answers = new WeakMap<HttpRequest, FileAnswer>();
  const gate = decorate({
    async send(request, signal) {
      const answer = await source.open(request.url, signal);
      answers.set(request, answer);
      const { status, headers } = answer;
      return { status, headers, body: "", bytes: Number(headers["content-length"] ?? 0) || 0 };
    },
    close: () => source.close(),
  });
  return {
    async open(url, signal) {
      const request: HttpRequest = { method: "GET", url, headers: {} };
      await gate.send(request, signal);
      const answer = answers.get(request);
      if (answer === undefined) throw new TypeError("A decorator sent another request.");
      return answer;
    },
    close: () => gate.close(),
  };
}
