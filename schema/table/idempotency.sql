-- The kept answer of a call made under an Idempotency-Key, so that a repeat gets the same. scope =
-- SHA-256 over tenant, caller, method, path and key; digest = SHA-256 of the request's query and body by
-- value. An answer that carries a secret is kept sealed, never in clear.
-- Rows lapse in the order of their numbers; the answers, which are long, lie one behind the other.
CREATE TABLE idempotency (
  key_no     INTEGER PRIMARY KEY,
  scope      BLOB    NOT NULL UNIQUE CHECK (length(scope) = 32),
  tenant_id  INTEGER NOT NULL REFERENCES tenant,
  digest     BLOB    NOT NULL CHECK (length(digest) = 32),
  status     INTEGER NOT NULL CHECK (status BETWEEN 200 AND 299),
  body       TEXT,
  sealed     BLOB,
  expires_at INTEGER NOT NULL,
  CHECK ((body IS NULL) <> (sealed IS NULL))
) STRICT;
