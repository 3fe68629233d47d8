-- What each terminal took, by the local day of the events; run 0 gathers what no run has closed yet.
-- device_no 0 is the house itself: refunds, and what was decided about parked credits.
CREATE TABLE settlement (
  tenant_id     INTEGER NOT NULL,
  -- Days since 1970-01-01 in the tenant's time zone.
  day           INTEGER NOT NULL,
  device_no     INTEGER NOT NULL,
  -- Number of the run; a row of a day that another run closed came in after that.
  run           INTEGER NOT NULL CHECK (run >= 0),
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
  PRIMARY KEY (tenant_id, day, device_no, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX settlement_open ON settlement (tenant_id, day) WHERE run = 0;
CREATE INDEX settlement_closed ON settlement (tenant_id, run) WHERE run > 0;
CREATE TRIGGER settlement_closed_no_insert BEFORE INSERT ON settlement WHEN new.run > 0
  BEGIN SELECT RAISE(ABORT, 'settlement: rows come into a run by being closed'); END;
CREATE TRIGGER settlement_closed_no_update BEFORE UPDATE ON settlement WHEN old.run > 0
  BEGIN SELECT RAISE(ABORT, 'settlement: a closed row is never changed'); END;
CREATE TRIGGER settlement_no_delete BEFORE DELETE ON settlement
  BEGIN SELECT RAISE(ABORT, 'settlement is never deleted'); END;

-- A range of days, closed for good: its rows are those of `settlement` that bear its number.
CREATE TABLE settlement_run (
  run_no       INTEGER PRIMARY KEY,
  uuid         TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id    INTEGER NOT NULL REFERENCES tenant,
  number       INTEGER NOT NULL CHECK (number >= 1),
  from_day     INTEGER NOT NULL,
  to_day       INTEGER NOT NULL,
  -- Null: every terminal, and the house.
  device_no    INTEGER REFERENCES device,
  rows         INTEGER NOT NULL CHECK (rows >= 0),
  totals       TEXT    NOT NULL CHECK (json_valid(totals)),
  -- Of the bytes that the run is exported as in CSV.
  sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),
  closed_at_ms INTEGER NOT NULL,
  closed_by    TEXT    NOT NULL,
  UNIQUE (tenant_id, number),
  CHECK (to_day BETWEEN from_day AND from_day + 91)
) STRICT;
CREATE INDEX settlement_run_days ON settlement_run (tenant_id, from_day);
CREATE TRIGGER settlement_run_once BEFORE INSERT ON settlement_run
  WHEN EXISTS (SELECT 1 FROM settlement_run r WHERE r.tenant_id = new.tenant_id
    AND r.from_day BETWEEN new.from_day - 91 AND new.to_day AND r.to_day >= new.from_day
    AND (r.device_no IS NULL OR new.device_no IS NULL OR r.device_no = new.device_no))
  BEGIN SELECT RAISE(ABORT, 'settlement_run: a day of a terminal is in one run alone'); END;
CREATE TRIGGER settlement_run_no_update BEFORE UPDATE ON settlement_run
  BEGIN SELECT RAISE(ABORT, 'settlement_run is append-only'); END;
CREATE TRIGGER settlement_run_no_delete BEFORE DELETE ON settlement_run
  BEGIN SELECT RAISE(ABORT, 'settlement_run is append-only'); END;

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
