-- The last word on each card that ever was on a tenant's blocklist; `version` orders the words, so a
-- delta since v is every row with a higher one.
CREATE TABLE listing (
  tenant_id INTEGER NOT NULL REFERENCES tenant,
  card_id   TEXT    NOT NULL CHECK (length(card_id) = 12),
  version   INTEGER NOT NULL CHECK (version >= 1),
  listed    INTEGER NOT NULL CHECK (listed IN (0, 1)),
  status    INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),
  -- Listed by hand: a card that is not registered here.
  by_hand   INTEGER NOT NULL CHECK (by_hand IN (0, 1)),
  reason    TEXT    CHECK (length(reason) <= 256),
  at_sec    INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, card_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX listing_version ON listing (tenant_id, version);
CREATE UNIQUE INDEX listing_listed ON listing (tenant_id, version) WHERE listed = 1;
