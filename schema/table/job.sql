-- Work that takes longer than a call. One that a stop of the server broke off is begun again.
CREATE TABLE job (
  job_no         INTEGER PRIMARY KEY,
  uuid           TEXT    NOT NULL UNIQUE CHECK (length(uuid) = 36),
  tenant_id      INTEGER NOT NULL REFERENCES tenant,
  kind           TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  status         TEXT    NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed',
                   'canceled')),
  input          TEXT    NOT NULL CHECK (json_valid(input)),
  -- Steps; total is 0 as long as nobody knows it.
  done           INTEGER NOT NULL CHECK (done >= 0),
  total          INTEGER NOT NULL CHECK (total >= 0),
  result         TEXT    CHECK (json_valid(result)),
  -- Slug and sentence of why it failed.
  problem        TEXT    CHECK (json_valid(problem)),
  -- Uuid of the user, key or module.
  created_by     TEXT    NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  started_at_ms  INTEGER,
  finished_at_ms INTEGER,
  CHECK ((finished_at_ms IS NULL) = (status IN ('queued', 'running'))),
  CHECK ((problem IS NOT NULL) = (status = 'failed'))
) STRICT;
CREATE INDEX job_tenant ON job (tenant_id, job_no);
CREATE INDEX job_open ON job (status, job_no) WHERE finished_at_ms IS NULL;
CREATE INDEX job_finished ON job (finished_at_ms) WHERE finished_at_ms IS NOT NULL;
