-- What each terminal took, by the local day of the events. device_no 2147483647 is the house itself,
-- behind every terminal: refunds, and what was decided about parked credits.
CREATE TABLE settlement (
  tenant_id     INTEGER NOT NULL,
  -- 0 until a run closes the day. What comes in for it later is in a row of its own: under the number of
  -- the last run there was then, and so part of the next one that has the terminal.
  layer         INTEGER NOT NULL CHECK (layer >= 0),
  -- Days since 1970-01-01 in the tenant's time zone.
  day           INTEGER NOT NULL,
  device_no     INTEGER NOT NULL,
  checkins      INTEGER NOT NULL,
  checkouts     INTEGER NOT NULL,
  debits        INTEGER NOT NULL,
  debit_amount  INTEGER NOT NULL,
  credits       INTEGER NOT NULL,
  credit_amount INTEGER NOT NULL,
  topups        INTEGER NOT NULL,
  topup_amount  INTEGER NOT NULL,
  rejected      INTEGER NOT NULL,
  flagged       INTEGER NOT NULL,
  late_events   INTEGER NOT NULL,
  refunds       INTEGER NOT NULL DEFAULT 0,
  refund_amount INTEGER NOT NULL DEFAULT 0,
  -- For the journal: credits without a top-up (cash to suspense), those let stand (suspense to cards),
  -- and those given back (suspense to cash).
  parked_amount   INTEGER NOT NULL DEFAULT 0,
  released_amount INTEGER NOT NULL DEFAULT 0,
  returned_amount INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, layer, day, device_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_day ON settlement (tenant_id, day, device_no);
CREATE TRIGGER settlement_no_delete BEFORE DELETE ON settlement
  BEGIN SELECT RAISE(ABORT, 'settlement is never deleted'); END;

-- A range of days, closed for good from the moment that this row is there. Its figures follow once its
-- files are made; they are written once.
CREATE TABLE settlement_run (
  run_no       INTEGER PRIMARY KEY,
  uuid         TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id    INTEGER NOT NULL REFERENCES tenant,
  number       INTEGER NOT NULL CHECK (number >= 1),
  from_day     INTEGER NOT NULL,
  to_day       INTEGER NOT NULL,
  -- Null: every terminal, and the house.
  device_no    INTEGER REFERENCES device,
  closed_at_ms INTEGER NOT NULL,
  closed_by    TEXT    NOT NULL,
  rows         INTEGER CHECK (rows >= 0),
  totals       TEXT    CHECK (json_valid(totals)),
  -- Of the bytes that the run is exported as in CSV.
  sha256       BLOB    CHECK (length(sha256) = 32),
  UNIQUE (tenant_id, number),
  CHECK (to_day BETWEEN from_day AND from_day + 91),
  CHECK ((rows IS NULL) = (sha256 IS NULL) AND (totals IS NULL) = (sha256 IS NULL))
) STRICT;
CREATE INDEX settlement_run_days ON settlement_run (tenant_id, from_day);
CREATE INDEX settlement_run_open ON settlement_run (tenant_id, number) WHERE sha256 IS NULL;
CREATE TRIGGER settlement_run_once BEFORE INSERT ON settlement_run
  WHEN EXISTS (SELECT 1 FROM settlement_run r WHERE r.tenant_id = new.tenant_id
    AND r.from_day BETWEEN new.from_day - 91 AND new.to_day AND r.to_day >= new.from_day
    AND (r.device_no IS NULL OR new.device_no IS NULL OR r.device_no = new.device_no))
  BEGIN SELECT RAISE(ABORT, 'settlement_run: a day of a terminal is in one run alone'); END;
CREATE TRIGGER settlement_run_no_update BEFORE UPDATE ON settlement_run WHEN old.sha256 IS NOT NULL
  BEGIN SELECT RAISE(ABORT, 'settlement_run is append-only'); END;
CREATE TRIGGER settlement_run_no_change BEFORE UPDATE OF run_no, uuid, tenant_id, number, from_day, to_day,
    device_no, closed_at_ms, closed_by ON settlement_run
  BEGIN SELECT RAISE(ABORT, 'settlement_run is append-only'); END;
CREATE TRIGGER settlement_run_no_delete BEFORE DELETE ON settlement_run
  BEGIN SELECT RAISE(ABORT, 'settlement_run is append-only'); END;

-- A row that a run has closed takes nothing more: neither a day of its range, nor what came late before it.
CREATE TRIGGER settlement_closed_day BEFORE INSERT ON settlement
  WHEN new.layer = 0 AND EXISTS (SELECT 1 FROM settlement_run r WHERE r.tenant_id = new.tenant_id
    AND r.from_day BETWEEN new.day - 91 AND new.day AND r.to_day >= new.day
    AND (r.device_no IS NULL OR r.device_no = new.device_no OR new.device_no = 2147483647))
  BEGIN SELECT RAISE(ABORT, 'settlement: the day is closed'); END;
CREATE TRIGGER settlement_closed_layer BEFORE INSERT ON settlement
  WHEN new.layer > 0 AND EXISTS (SELECT 1 FROM settlement_run r WHERE r.tenant_id = new.tenant_id
    AND r.number > new.layer AND (r.device_no IS NULL OR r.device_no = new.device_no))
  BEGIN SELECT RAISE(ABORT, 'settlement: a run has what came before it'); END;
CREATE TRIGGER settlement_closed_no_update BEFORE UPDATE ON settlement
  WHEN old.layer <> new.layer OR old.day <> new.day OR old.device_no <> new.device_no
    OR old.tenant_id <> new.tenant_id OR EXISTS (SELECT 1 FROM settlement_run r
    WHERE old.layer = 0 AND r.tenant_id = old.tenant_id
      AND r.from_day BETWEEN old.day - 91 AND old.day AND r.to_day >= old.day
      AND (r.device_no IS NULL OR r.device_no = old.device_no OR old.device_no = 2147483647))
    OR EXISTS (SELECT 1 FROM settlement_run r WHERE old.layer > 0 AND r.tenant_id = old.tenant_id
      AND r.number > old.layer AND (r.device_no IS NULL OR r.device_no = old.device_no))
  BEGIN SELECT RAISE(ABORT, 'settlement: a closed row is never changed'); END;

-- The very bytes that a run is read back as, in each format, zstd-compressed.
CREATE TABLE settlement_export (
  export_no INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenant,
  run_no    INTEGER NOT NULL REFERENCES settlement_run,
  format    TEXT    NOT NULL CHECK (format IN ('json', 'csv', 'journal')),
  sha256    BLOB    NOT NULL CHECK (length(sha256) = 32),
  bytes     BLOB    NOT NULL,
  UNIQUE (run_no, format)
) STRICT;
CREATE TRIGGER settlement_export_no_update BEFORE UPDATE ON settlement_export
  BEGIN SELECT RAISE(ABORT, 'settlement_export is append-only'); END;
CREATE TRIGGER settlement_export_no_delete BEFORE DELETE ON settlement_export
  BEGIN SELECT RAISE(ABORT, 'settlement_export is append-only'); END;
