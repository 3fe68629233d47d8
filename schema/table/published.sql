-- What happened, for whoever listens: written in the transaction of the change it tells of.
CREATE TABLE published_event (
  event_no      INTEGER PRIMARY KEY,
  uuid          TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id     INTEGER NOT NULL REFERENCES tenant,
  type          TEXT    NOT NULL,
  data          TEXT    NOT NULL CHECK (json_valid(data)),
  at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX published_event_tenant ON published_event (tenant_id, event_no);
