-- A person who holds cards of the venue. Closed for good; the number is never used again.
CREATE TABLE member (
  member_no     INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  user_id       INTEGER NOT NULL CHECK (user_id BETWEEN 1 AND 4294967295),
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  email         TEXT    CHECK (length(email) <= 254),
  status        TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  UNIQUE (tenant_id, user_id)
) STRICT;
