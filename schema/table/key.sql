-- Key sets of a tenant: one 32-byte secret a version, kept only sealed under the master key.
CREATE TABLE key_version (
  tenant_id       INTEGER NOT NULL REFERENCES tenant,
  key_version     INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
  status          TEXT    NOT NULL CHECK (status IN ('created', 'active', 'retired')),
  sealed_secret   BLOB    NOT NULL CHECK (length(sealed_secret) = 72),
  note            TEXT    CHECK (length(note) <= 200),
  created_at_ms   INTEGER NOT NULL,
  -- The version activated last is the primary one.
  activated_at_ms INTEGER,
  retired_at_ms   INTEGER,
  PRIMARY KEY (tenant_id, key_version),
  CHECK ((status = 'created') = (activated_at_ms IS NULL) OR status = 'retired'),
  CHECK ((status = 'retired') = (retired_at_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- P-256 keys of the whole server. The first three letters of a kid say what it signs.
CREATE TABLE signing_key (
  kid            TEXT    NOT NULL PRIMARY KEY CHECK (substr(kid, 1, 4) IN ('grt_', 'tok_', 'aud_')),
  public_jwk     TEXT    NOT NULL,
  sealed_private BLOB    NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  retired_at_ms  INTEGER
) STRICT, WITHOUT ROWID;
