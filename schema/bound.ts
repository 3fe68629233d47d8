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

// Card
export const cardNameMaxBytes = 31;
export const keyVersionMax = 255;
export const terminalIdMax = 65_535;
export const blockReasonMaxChars = 256;

// Device
export const deviceIdMaxChars = 128;
export const deviceSecretMaxChars = 256;
export const deviceNameMaxChars = 100;
export const deviceSecretLifeSec = 7 * 86_400;

// Grant
export const grantTtlMinSec = 3_600;
export const grantTtlMaxSec = 86_400;
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

// Blocklist and lists
export const blocklistPageMax = 10_000;
export const cardEventsPageMax = 100;

// Names and notes
export const nameMaxChars = 100;
export const noteMaxChars = 1_000;
export const keyNoteMaxChars = 200;
export const emailMaxChars = 254;

// Idempotency
export const idempotencyLifeSec = 86_400;

// Memory: each cache and table in memory is bounded
export const headsCachedMax = 200_000;
export const recentEventsMax = 65_536;
export const tokensCachedMax = 100_000;
export const bucketsMax = 200_000;
export const auditTalliesMax = 10_000;

// Card store: every so many events of a card's chain get a place of their own
export const placeEvery = 32;
