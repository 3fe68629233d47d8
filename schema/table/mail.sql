-- Letters that are on their way: written in the transaction of what they tell of, gone once sent. The
-- letter is sealed, since a link in it lets its reader in.
CREATE TABLE mail_outbox (
  mail_no       INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER REFERENCES tenant,
  recipient     TEXT    NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
  sealed_letter BLOB    NOT NULL,
  attempts      INTEGER NOT NULL CHECK (attempts >= 0),
  next_at_ms    INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_outbox_due ON mail_outbox (next_at_ms);
