import { z } from "zod";
import type { TokenGrant } from "./authorize.ts";
import { serviceUrl } from "./service-url.ts";

/** How a system is shown who asks: a token, or a grant by which tokens are asked for. */
export interface GrantConfig {
  readonly token?: string | undefined;
  readonly grant?: TokenGrant["kind"] | undefined;
  readonly tokenUrl?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly scope?: string | undefined;
}

const name = z.string().min(1);

/** The keys of a grant. */
export const grantShape = {
  grant: z
    .enum(["client_credentials", "password"])
    .optional()
    .describe("Instead of `token`: the OAuth 2 grant by which tokens are asked for."),
  tokenUrl: serviceUrl.optional().describe("The token endpoint, for `grant`."),
  clientId: name.optional().describe("Reference to the client's id: env:NAME or file:PATH."),
  clientSecret: name.optional().describe("Reference to the client's secret."),
  username: name.optional().describe("Reference to the user's name, for the password grant."),
  password: name.optional().describe("Reference to the user's password, for the password grant."),
  scope: name.optional().describe("Scope to ask for, where the vendor wants one."),
} as const satisfies Record<Exclude<keyof GrantConfig, "token">, z.ZodType>;

/** Settings that refer to a secret, for `ConnectorKind.secrets`. */
export const GRANT_SECRETS: readonly string[] = [
  "token",
  "clientId",
  "clientSecret",
  "username",
  "password",
];

/** One complaint, in the form in which zod takes it. */
export type SettingIssue = {
  code: "custom";
  path: PropertyKey[];
  message: string;
  input: unknown;
};

const ALWAYS = ["tokenUrl", "clientId", "clientSecret"] as const;
const OF_PASSWORD = ["username", "password"] as const;

/** What is missing of a grant, or stands there without one. No secret is shown. */
export function grantIssues(config: GrantConfig): SettingIssue[] {
  const { grant } = config;
  const ofUser = grant === "password" ? OF_PASSWORD : [];
  const needed: readonly (keyof GrantConfig)[] = grant === undefined ? [] : [...ALWAYS, ...ofUser];
  const used: readonly (keyof GrantConfig)[] = grant === undefined ? [] : [...needed, "scope"];
  const unused = [...ALWAYS, ...OF_PASSWORD, "scope" as const].filter((key) => !used.includes(key));
  const issue = (key: string, message: string): SettingIssue => ({
    code: "custom",
    path: [key],
    message,
    input: undefined,
  });
  return [
    ...needed
      .filter((key) => config[key] === undefined)
      .map((key) => issue(key, `must be set for \`grant: ${grant}\``)),
    ...unused
      .filter((key) => config[key] !== undefined)
      .map((key) => issue(key, "must not be set without a `grant` that uses it")),
    ...(grant !== undefined && config.token !== undefined
      ? [issue("token", "must not be set beside `grant`")]
      : []),
  ];
}

/** The grant with its resolved texts; nothing where a token is configured instead. */
export function grantOf(config: GrantConfig): { readonly grant?: TokenGrant } {
  const { grant, tokenUrl, clientId, clientSecret, username, password, scope } = config;
  if (grant === undefined || tokenUrl === undefined) return {};
  if (clientId === undefined || clientSecret === undefined) return {};
  return {
    grant: {
      kind: grant,
      url: tokenUrl,
      clientId,
      clientSecret,
      ...(scope === undefined ? {} : { scope }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    },
  };
}
