-- What each terminal took, by the local day of the events; run 0 gathers what no run has closed yet.
CREATE TABLE settlement (
  tenant_id     INTEGER NOT NULL,
  run           INTEGER NOT NULL CHECK (run >= 0),
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
  PRIMARY KEY (tenant_id, run, day, device_no)
) STRICT, WITHOUT ROWID;
