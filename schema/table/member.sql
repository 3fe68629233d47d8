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
CREATE INDEX member_tenant ON member (tenant_id, member_no);
CREATE INDEX member_status ON member (tenant_id, status, member_no);

-- How many there are of each status, so that the total of a list is not counted. Kept by the triggers.
CREATE TABLE member_count (
  tenant_id INTEGER NOT NULL,
  status    TEXT    NOT NULL,
  members   INTEGER NOT NULL CHECK (members >= 0),
  PRIMARY KEY (tenant_id, status)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER member_count_insert AFTER INSERT ON member BEGIN
  INSERT INTO member_count (tenant_id, status, members) VALUES (NEW.tenant_id, NEW.status, 1)
    ON CONFLICT (tenant_id, status) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER member_count_update AFTER UPDATE OF status ON member WHEN OLD.status <> NEW.status BEGIN
  UPDATE member_count SET members = members - 1 WHERE tenant_id = OLD.tenant_id AND status = OLD.status;
  INSERT INTO member_count (tenant_id, status, members) VALUES (NEW.tenant_id, NEW.status, 1)
    ON CONFLICT (tenant_id, status) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER member_no_delete BEFORE DELETE ON member
  BEGIN SELECT RAISE(ABORT, 'member is never deleted'); END;
