-- The key of the hashes that addresses of erased clients become, sealed with SECRET. One row.
CREATE TABLE address_keys (
    id     smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    sealed bytea NOT NULL
);

-- What there is are bare SHA-256, which a list of addresses undoes. The first start gives each the key and sets keyed: a
-- migration has no SECRET.
ALTER TABLE optouts ADD keyed boolean NOT NULL DEFAULT false;
ALTER TABLE optouts ALTER keyed SET DEFAULT true;
-- scrub_at: when what is left of the client in deliveries and attempts is looked for (again).
ALTER TABLE deleted_clients ADD keyed boolean NOT NULL DEFAULT false, ADD scrub_at timestamptz;
ALTER TABLE deleted_clients ALTER keyed SET DEFAULT true;
CREATE INDEX deleted_clients_scrub ON deleted_clients (scrub_at) WHERE scrub_at IS NOT NULL;
