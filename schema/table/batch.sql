-- One row a batch taken. digest = SHA-256 over its events' canonical bytes; clean = every event of a
-- non-empty batch was accepted, so that the same digest again is a duplicate at one look.
CREATE TABLE batch (
  batch_no       INTEGER PRIMARY KEY,
  uuid           TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id      INTEGER NOT NULL,
  device_no      INTEGER NOT NULL,
  received_at_ms INTEGER NOT NULL,
  events         INTEGER NOT NULL CHECK (events BETWEEN 0 AND 1000),
  accepted       INTEGER NOT NULL,
  rejected       INTEGER NOT NULL,
  flagged        INTEGER NOT NULL,
  debit_amount   INTEGER NOT NULL,
  credit_amount  INTEGER NOT NULL,
  digest         BLOB    NOT NULL CHECK (length(digest) = 32),
  clean          INTEGER NOT NULL CHECK (clean IN (0, 1)),
  -- The accepted events are the rows first_event … first_event + accepted − 1.
  first_event    INTEGER NOT NULL,
  audit_seq      INTEGER NOT NULL,
  CHECK (accepted + rejected = events)
) STRICT;
CREATE INDEX batch_digest ON batch (digest) WHERE clean = 1;
-- Lists and their totals are read from these alone.
CREATE INDEX batch_tenant ON batch (tenant_id, batch_no, accepted, rejected, flagged);
CREATE INDEX batch_device ON batch (device_no, batch_no, accepted, rejected, flagged);
CREATE TRIGGER batch_no_update BEFORE UPDATE ON batch
  BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch
  BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
