/**
 * The life of a version of the API: current, deprecated, past its sunset; what its answers then say
 * (RFC 9745, RFC 8594), and how soon it may end.
 */

/** A version whose end is announced. */
export interface EndingVersion {
  readonly version: number;
  readonly deprecatedAtMs: number;
  readonly sunsetAtMs: number;
}

export type VersionStatus = "current" | "deprecated" | "sunset";

const noticeMonths = 6;

/** The same time of day so many calendar months on, in UTC; of a month too short its last day. */
function monthsAfter(ms: number, months: number): number {
  const moment = new Date(ms);
  const day = moment.getUTCDate();
  moment.setUTCDate(1);
  moment.setUTCMonth(moment.getUTCMonth() + months);
  const last = new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1, 0));
  moment.setUTCDate(Math.min(day, last.getUTCDate()));
  return moment.getTime();
}

/** A version that is deprecated now ends no sooner. */
export const sunsetMinMs = (nowMs: number): number => monthsAfter(nowMs, noticeMonths);

export function versionStatus(ending: EndingVersion | undefined, nowMs: number): VersionStatus {
  if (ending === undefined) return "current";
  return nowMs >= ending.sunsetAtMs ? "sunset" : "deprecated";
}

/** Where the frozen document of a version is. */
export const snapshotPath = (version: number): string => `/api-docs/v${version}`;

/** What every answer of a deprecated version carries; names in lower case. */
export const versionHeaders = ({
  version,
  deprecatedAtMs,
  sunsetAtMs,
}: EndingVersion): Record<string, string> => ({
  deprecation: `@${Math.floor(deprecatedAtMs / 1000)}`,
  sunset: new Date(sunsetAtMs).toUTCString(),
  link: `<${snapshotPath(version)}>; rel="deprecation"`,
});
