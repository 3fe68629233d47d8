-- Limits by scope; a null inherits device → zone → tenant → default. The tenant's row always exists.
CREATE TABLE policy (
  policy_no                 INTEGER PRIMARY KEY,
  uuid                      TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id                 INTEGER NOT NULL REFERENCES tenant,
  scope                     TEXT    NOT NULL CHECK (scope IN ('tenant', 'zone', 'device')),
  -- zone_no or device_no; 0 for the tenant's own.
  scope_no                  INTEGER NOT NULL,
  max_balance               INTEGER CHECK (max_balance BETWEEN 0 AND 16000000),
  single_tx_limit           INTEGER CHECK (single_tx_limit BETWEEN 1 AND 16000000),
  daily_limit               INTEGER CHECK (daily_limit BETWEEN 0 AND 4294967295),
  weekly_limit              INTEGER CHECK (weekly_limit BETWEEN 0 AND 4294967295),
  -- Bit s set = status s is refused; statuses 1 to 4.
  blocked_statuses          INTEGER CHECK (blocked_statuses BETWEEN 0 AND 30 AND blocked_statuses % 2 = 0),
  clock_drift_allowance_sec INTEGER CHECK (clock_drift_allowance_sec BETWEEN 0 AND 86400),
  grant_ttl_sec             INTEGER CHECK (grant_ttl_sec BETWEEN 3600 AND 86400),
  -- Masks of ops, in the order read, debit, checkin, checkout, topup, reissue, block from bit 0.
  terminal_ops              INTEGER CHECK (terminal_ops BETWEEN 0 AND 127),
  gate_ops                  INTEGER CHECK (gate_ops BETWEEN 0 AND 127),
  station_ops               INTEGER CHECK (station_ops BETWEEN 0 AND 127),
  created_at_ms             INTEGER NOT NULL,
  updated_at_ms             INTEGER NOT NULL,
  version                   INTEGER NOT NULL,
  UNIQUE (tenant_id, scope, scope_no),
  CHECK ((scope = 'tenant') = (scope_no = 0)),
  CHECK (scope = 'tenant' OR
    (grant_ttl_sec IS NULL AND terminal_ops IS NULL AND gate_ops IS NULL AND station_ops IS NULL))
) STRICT;
CREATE INDEX policy_tenant ON policy (tenant_id, policy_no);
