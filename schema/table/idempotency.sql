-- The kept answer of a call made under an Idempotency-Key, so that a repeat gets the same. scope =
-- SHA-256 over tenant, caller, method, path and key; digest = SHA-256 of the request's query and body by
-- value. An answer that carries a secret is kept sealed, never in clear.
CREATE TABLE idempotency (
  scope      BLOB    NOT NULL PRIMARY KEY CHECK (length(scope) = 32),
  tenant_id  INTEGER NOT NULL REFERENCES tenant,
  digest     BLOB    NOT NULL CHECK (length(digest) = 32),
  status     INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
  body       TEXT,
  sealed     BLOB,
  expires_at INTEGER NOT NULL,
  CHECK ((body IS NULL) <> (sealed IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
