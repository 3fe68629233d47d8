CREATE TABLE zone (
  zone_no       INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  created_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX zone_tenant ON zone (tenant_id, zone_no);

-- A station, gate, terminal or scout. device_id is unique on the whole server, because commissioning
-- names no tenant; terminal_id is the tenant's number for it and never used again.
CREATE TABLE device (
  device_no            INTEGER PRIMARY KEY,
  uuid                 TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id            INTEGER NOT NULL REFERENCES tenant,
  device_id            TEXT    NOT NULL UNIQUE CHECK (length(device_id) BETWEEN 1 AND 128),
  terminal_id          INTEGER NOT NULL CHECK (terminal_id BETWEEN 1 AND 65535),
  role                 TEXT    NOT NULL CHECK (role IN ('station', 'gate', 'terminal', 'scout')),
  name                 TEXT    CHECK (length(name) BETWEEN 1 AND 100),
  zone_no              INTEGER REFERENCES zone,
  member_no            INTEGER REFERENCES member,
  settlement_wallet_no INTEGER NOT NULL REFERENCES wallet,
  status               TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'retired')),
  suspended_at_sec     INTEGER,
  last_seen_at_ms      INTEGER,
  created_at_ms        INTEGER NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  version              INTEGER NOT NULL,
  UNIQUE (tenant_id, terminal_id),
  CHECK (member_no IS NULL OR role = 'scout'),
  CHECK ((status = 'suspended') = (suspended_at_sec IS NOT NULL))
) STRICT;
CREATE INDEX device_zone ON device (zone_no) WHERE zone_no IS NOT NULL;

-- One-time secrets, only as SHA-256. Dead once spent, killed or past its life.
CREATE TABLE device_secret (
  secret_no      INTEGER PRIMARY KEY,
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  device_no      INTEGER NOT NULL REFERENCES device,
  secret_hash    BLOB    NOT NULL CHECK (length(secret_hash) = 32),
  created_at_ms  INTEGER NOT NULL,
  expires_at_sec INTEGER NOT NULL,
  spent_at_ms    INTEGER,
  killed_at_ms   INTEGER
) STRICT;
CREATE INDEX device_secret_live ON device_secret (device_no)
  WHERE spent_at_ms IS NULL AND killed_at_ms IS NULL;

-- Access tokens, only as SHA-256. used_at_ms is set by the first call that the token carries.
CREATE TABLE device_token (
  token_hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  device_no      INTEGER NOT NULL REFERENCES device,
  secret_no      INTEGER NOT NULL REFERENCES device_secret,
  issued_at_ms   INTEGER NOT NULL,
  expires_at_sec INTEGER NOT NULL,
  used_at_ms     INTEGER,
  revoked_at_ms  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_token_live ON device_token (device_no) WHERE revoked_at_ms IS NULL;
