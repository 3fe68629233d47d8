/**
 * Every limit of Kartu, named, unit last. Each stands in the contract, in a CHECK of its table and in
 * the domain, and is tested on both sides. Not settings: those are in `src/config.ts`.
 */

// Numbers
export const safeIntegerMax = Number.MAX_SAFE_INTEGER;
export const uint32Max = 4_294_967_295;
export const uint24Max = 16_777_215;

// Money, in minor units
export const balanceHardCeilingMinor = 16_000_000;

// Ledger: what user wallets take where no plan says otherwise, in minor units
export const transactionAmountMaxMinor = 10_000_000;
export const walletBalanceMaxMinor = 100_000_000;
/** Live ones of one wallet. */
export const holdsOfWalletMax = 100;
export const holdTtlMaxSec = 604_800;
export const holdTtlSec = 259_200;
export const reversalMaxMs = 365 * 86_400_000;
export const transfersBatchMax = 500;
export const walletLabelMaxChars = 100;
export const reversalReasonMaxChars = 500;
/** A JSON object of the caller's own, as text. */
export const metadataMaxBytes = 16_384;

// Card
export const cardNameMaxBytes = 31;
export const keyVersionMax = 255;
export const terminalIdMax = 65_535;
export const blockReasonMaxChars = 256;

// Device
export const deviceIdMaxChars = 128;
export const deviceSecretMaxChars = 256;
export const deviceNameMaxChars = 100;
export const suspendReasonMaxChars = 256;
export const deviceSecretLifeSec = 7 * 86_400;

// Grant
export const grantTtlMinSec = 3_600;
export const grantTtlMaxSec = 86_400;
/** Operations that a grant can carry. */
export const opsMax = 7;
export const sessionMaxSec = 86_400;

// Batch
export const batchEventsMax = 1_000;
export const counterLeapMax = 10_000;
export const quarantineOpenMax = 10_000;
export const holeOpenMaxSec = 7 * 86_400;

// Report
export const reportDetailsMaxChars = 256;
export const reportBlocksMax = 20;
export const reportBlocksWindowSec = 86_400;
export const replayWindowSec = 7 * 86_400;
export const writeFailureWindowSec = 7 * 86_400;
export const staleTopupSec = 86_400;
/** A device that has not called for so long is silent. */
export const silentSec = 86_400;
/** Cards that a device saw within so long are what it may take payments of. */
export const seenCardsSec = 7 * 86_400;

// Settlement
/** Of one look or run, both ends in it. */
export const settlementRangeMaxDays = 92;
export const refundReasonMaxChars = 256;

// Blocklist and lists
export const blocklistPageMax = 10_000;
export const cardEventsPageMax = 100;

// Names and notes
export const nameMaxChars = 100;
export const noteMaxChars = 1_000;
/** Flags that one call decides. */
export const flagsDecidedMax = 100;
export const keyNoteMaxChars = 200;
export const emailMaxChars = 254;
export const descriptionMaxChars = 500;
export const urlMaxChars = 2_048;

// People: users, roles, invitations, keys of programs
export const passwordMinChars = 12;
export const passwordMaxChars = 128;
export const slugMaxChars = 32;
export const roleNameMaxChars = 32;
export const roleDisplayNameMaxChars = 60;
/** Of one user, invitation or API key. */
export const rolesGivenMax = 10;
/** Of one role. */
export const permissionsMax = 200;
/** Of one tenant, besides the built-in ones. */
export const customRolesMax = 100;
export const allowedIpsMax = 20;
export const invitationLifeSec = 72 * 3_600;
/** How long a removed user can be taken back. */
export const membershipKeptSec = 30 * 86_400;
export const searchMinChars = 2;
export const searchMaxChars = 100;
export const blockTenantReasonMaxChars = 256;

// Signing in
export const accessTokenLifeSec = 15 * 60;
export const accessTokenMaxChars = 8_192;
export const refreshTokenLifeSec = 7 * 86_400;
/** How long a used refresh token still yields what its first use did. */
export const refreshGraceSec = 10;
export const choiceLifeSec = 5 * 60;
/** A code in the address that an outside sign-in ends at. */
export const loginCodeLifeSec = 60;
export const verifyLinkLifeSec = 24 * 3_600;
export const resetLinkLifeSec = 3_600;
export const tokenKeyLifeSec = 90 * 86_400;
/** Failed sign-ins of one email, and the window that they are counted in. */
export const signInFailuresMax = 5;
export const signInWindowSec = 15 * 60;
/** Wrong passwords and codes of somebody who is signed in, in the same window. */
export const selfFailuresMax = 10;
export const mailsPerHourMax = 3;
export const recoveryCodesMade = 10;
/** A token of ours in a request: longer ones are none of ours. */
export const opaqueTokenMaxChars = 100;
export const organizationMaxChars = 100;
export const localeMaxChars = 35;
export const userAgentMaxChars = 512;
export const impersonationNoteMaxChars = 500;

// Applications that sign people in here, and providers that do so elsewhere
/** From the page to the answer of the person. */
export const oauthRequestLifeSec = 600;
export const oauthCodeLifeSec = 60;
/** Of `state` and `nonce`, as the application sends them. */
export const oauthTextMaxChars = 1_024;
/** Spent codes are kept so long, to tell when one comes back. */
export const oauthRequestKeptSec = 86_400;
/** How long the secret before the newest still works. */
export const clientSecretGraceSec = 86_400;
export const redirectUrisMax = 10;
/** Of one application. */
export const clientScopesMax = 200;
export const providerIdMaxChars = 32;
export const providerSubjectMaxChars = 255;
/** From leaving for the provider, or getting the wallet's message, to coming back. */
export const providerTripSec = 600;

// Idempotency
export const idempotencyLifeSec = 86_400;

// Streams of the operator surface
export const ticketLifeMs = 60_000;
export const ticketsMax = 50_000;
export const streamLifeMs = 900_000;
export const streamPingMs = 15_000;
export const streamsPerUserMax = 10;
export const streamsPerTenantMax = 100;

// Memory: each cache and table in memory is bounded
export const headsResidentMax = 4_000_000;
export const recentEventsMax = 65_536;
export const tokensCachedMax = 100_000;
export const bucketsMax = 200_000;
export const seenCardsMax = 1_000_000;
export const auditTalliesMax = 10_000;
export const accessCachedMax = 100_000;
export const claimsCachedMax = 20_000;
export const attemptsCountedMax = 100_000;
export const talliesKeptMax = 100_000;
export const walletsKeptMax = 500_000;

// Card store: every so many events of a card's chain get a place of their own; in the course of so many
// (or as many as there are cards) every head is written
export const placeEvery = 32;
export const sweepRoundEventsMin = 262_144;

// Gateway
export const rateRequestsMax = 100_000;
export const rateWindowMaxSec = 3_600;
export const rateRouteMaxChars = 128;
export const jobKindMaxChars = 64;
/** Writes that may wait for their turn; one more is refused. */
export const writeQueueMax = 4_096;
export const apiVersionMax = 999;
export const readyDiskMinBytes = 64 * 2 ** 20;
