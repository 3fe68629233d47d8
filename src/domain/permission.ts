/**
 * What may be done, by name, who may do it by default, and whether what somebody holds is enough. A
 * permission is `domain.action`; a grant is a permission, `prefix.*` or `*`. Who holds what is not here.
 */
import type { FieldFault } from "./problem.ts";

export interface RoleDraft {
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
}

/**
 * The roles that every tenant has. `owner` and `admin` hold everything but `system.*`, which only the
 * owner of the root tenant has; `member` holds the `.read` permissions of installed modules.
 */
export const builtInRoles: readonly RoleDraft[] = [
  {
    name: "owner",
    displayName: "Owner",
    description: "Everything; exactly one a tenant.",
    permissions: ["*"],
  },
  {
    name: "admin",
    displayName: "Administrator",
    description: "Everything but what belongs to the platform.",
    permissions: ["*"],
  },
  {
    name: "member",
    displayName: "Member",
    description: "Reads what installed modules show.",
    permissions: [],
  },
];

export const ownerRole = "owner";
export const adminRole = "admin";
export const memberRole = "member";

/** The closed list: every permission of Kartu's own, with what it lets one do. */
const catalogue = {
  "tenants.list": "See the tenants below one's own",
  "tenants.create": "Make tenants below one's own",
  "tenants.update": "Change tenants below one's own",
  "tenants.block": "Block and unblock tenants below one's own",
  "tenants.delete": "Delete tenants below one's own",
  "settings.read": "See the tenant's settings",
  "settings.update": "Change the tenant's settings",
  "users.list": "See users and invitations",
  "users.create": "Add and invite users",
  "users.update": "Change, block and unblock users, end their sessions",
  "users.delete": "Remove and restore users",
  "users.impersonate": "Act in another tenant; works for the Platform Owner only",
  "roles.list": "See roles and permissions",
  "roles.create": "Make roles",
  "roles.update": "Change roles",
  "roles.delete": "Delete roles",
  "roles.assign": "Give users their roles",
  "apikeys.list": "See API keys",
  "apikeys.create": "Make API keys",
  "apikeys.delete": "Revoke API keys",
  "oauth.list": "See OAuth clients",
  "oauth.manage": "Make, change and delete OAuth clients",
  "fleet.devices.read": "See devices and the overview",
  "fleet.devices.write": "Register, change, suspend and retire devices",
  "fleet.devices.secret": "Make one-time secrets of devices",
  "fleet.members.read": "See members",
  "fleet.members.write": "Make, change and close members",
  "fleet.cards.read": "See cards, their timelines and the blocklist",
  "fleet.cards.block": "Block cards",
  "fleet.policies.read": "See policies and zones",
  "fleet.policies.write": "Change policies and zones",
  "fleet.keys.read": "See key versions",
  "fleet.keys.write": "Make, activate and retire key versions",
  "fleet.cards.refund": "Pay out what cards hold",
  "fleet.flags.read": "See the review queue",
  "fleet.flags.decide": "Decide flags",
  "fleet.batches.read": "See batches and events",
  "fleet.reports.read": "See what devices reported",
  "fleet.settlement.read": "See the settlement",
  "fleet.settlement.close": "Close settlement runs",
  "fleet.stream": "Follow the fleet live",
  "money.wallets.read": "See wallets and transactions",
  "money.wallets.write": "Open, change and close wallets",
  "money.credit": "Credit wallets",
  "money.debit": "Debit wallets",
  "money.hold": "Hold money, confirm and cancel holds",
  "money.transfer": "Transfer between wallets",
  "money.reverse": "Reverse transactions",
  "money.system": "Move money of system accounts",
  "money.ledger.read": "See the whole ledger",
  "data.models.read": "See the models of modules",
  "files.read": "See and fetch files",
  "files.write": "Upload and process files",
  "files.delete": "Delete and restore files",
  "files.destroy": "Destroy files for good",
  "notify.read": "See notifications",
  "notify.send": "Send notifications",
  "notify.retry": "Send failed notifications again",
  "notify.templates": "Change templates",
  "notify.channels": "Change channels",
  "audit.read": "See the audit record",
  "audit.write": "Add to the audit record",
  "audit.export": "Export the audit record",
  "audit.delete": "Anonymise people in the audit record; nothing is ever deleted",
  "events.read": "See published events",
  "events.publish": "Publish events",
  "events.subscribe": "Manage subscriptions",
  "events.replay": "Deliver events again",
  "billing.view": "See plan, subscription and invoices",
  "billing.change": "Change the subscription and the plan",
  "billing.plan.change": "Change the plan",
  "billing.export": "Export invoices",
  "modules.list": "See modules",
  "modules.install": "Install modules",
  "modules.configure": "Configure modules",
  "modules.uninstall": "Uninstall modules",
  "gateway.health": "See how the server is",
  "gateway.upstreams": "See and reset upstreams",
  "gateway.rates": "See and change rate limits",
  "jobs.read": "See jobs",
  "system.plans": "Manage plans",
  "system.versions": "Deprecate versions of the API",
  "system.clock": "Move the clock of a development server",
  "system.shutdown": "Reserved, no call yet",
  "system.backup": "Reserved, no call yet",
  "system.restore": "Reserved, no call yet",
} as const satisfies Record<string, string>;

export interface PermissionEntry {
  readonly name: string;
  readonly description: string;
  /** Slug of the module it belongs to; null for Kartu's own. */
  readonly module: string | null;
}

/** Kartu's own permissions, by name. */
export const permissionCatalogue: readonly PermissionEntry[] = Object.entries(catalogue)
  .map(([name, description]) => ({ name, description, module: null }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

/** Only the owner of the root tenant has what begins so, and no wildcard of others includes it. */
const systemPrefix = "system.";

/** What holding one permission brings along. */
const included: Readonly<Record<string, readonly string[]>> = {
  "billing.change": ["billing.plan.change"],
};

/** Whether one grant covers what is wanted, a permission or itself a pattern. */
function grants(grant: string, wanted: string): boolean {
  if (grant === wanted || grant === "*") return true;
  if (grant.endsWith(".*")) return wanted.startsWith(grant.slice(0, -1));
  return included[grant]?.includes(wanted) ?? false;
}

/**
 * Whether `held` (exact, `prefix.*` or `*`) includes `wanted`, which may itself be a pattern. What begins
 * with `system.` is covered for the Platform Owner, and for nobody else whatever they hold.
 */
export function covers(held: readonly string[], wanted: string, isPlatformOwner = false): boolean {
  if (wanted.startsWith(systemPrefix)) return isPlatformOwner;
  for (const grant of held) if (grants(grant, wanted)) return true;
  return false;
}

export const coversAll = (
  held: readonly string[],
  wanted: readonly string[],
  isPlatformOwner = false,
): boolean => wanted.every((one) => covers(held, one, isPlatformOwner));

/** What of `wanted` its giver does not hold and so may not give; empty: all may be given. */
export const escalation = (
  held: readonly string[],
  wanted: readonly string[],
  isPlatformOwner = false,
): string[] => wanted.filter((one) => !covers(held, one, isPlatformOwner));

const kartuDomains: ReadonlySet<string> = new Set(
  Object.keys(catalogue).map((name) => name.slice(0, name.indexOf("."))),
);

const word = "[a-z][A-Za-z0-9_-]{0,63}";
const grantPattern = new RegExp(
  `^(?:\\*|${word}(?:\\.${word}){0,2}\\.\\*|${word}(?:\\.${word}){1,2})$`,
);

/** Whether the text has the form of a grant: `*`, `a.*`, `a.b`, `a.b.*`, `a.b.c`. */
const isGrantForm = (text: string): boolean => grantPattern.test(text);

/**
 * Whether there is something to grant by this name: `*`, a permission of the catalogue or a prefix of
 * some, or what has the form of a module's (`module.resource.action`, `module.*`, `module.resource.*`).
 */
export function isGrant(text: string): boolean {
  if (!isGrantForm(text)) return false;
  if (text === "*") return true;
  if (Object.hasOwn(catalogue, text)) return true;
  const isPattern = text.endsWith(".*");
  const parts = text.split(".");
  if (kartuDomains.has(parts[0] ?? "")) {
    const prefix = text.slice(0, -1);
    return isPattern && Object.keys(catalogue).some((name) => name.startsWith(prefix));
  }
  return isPattern || parts.length === 3;
}

/** Which of these names grant nothing, in their order. */
export function permissionFaults(permissions: readonly string[]): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [at, name] of permissions.entries()) {
    if (isGrant(name)) continue;
    const message = "Must be a permission or a prefix of some";
    faults.push({ field: `permissions[${at}]`, message, code: "NOT_ALLOWED" });
  }
  return faults;
}
