-- The kept answer of a call made under an Idempotency-Key, so that a repeat gets the same. scope =
-- SHA-256 over tenant, device, method, path and key; digest = SHA-256 of the request's body by value.
CREATE TABLE idempotency (
  scope      BLOB    NOT NULL PRIMARY KEY CHECK (length(scope) = 32),
  tenant_id  INTEGER NOT NULL REFERENCES tenant,
  digest     BLOB    NOT NULL CHECK (length(digest) = 32),
  status     INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
  body       TEXT    NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
