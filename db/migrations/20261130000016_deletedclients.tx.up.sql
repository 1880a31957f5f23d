-- Whom a link in an email meant: it outlives its client, who may have been deleted and imported again.
-- One row of some 60 bytes for each deleted client; found by its key alone.
CREATE TABLE deleted_clients (
    id         bigint PRIMARY KEY,
    owner_id   bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    email_hash bytea  NOT NULL
);
CREATE INDEX deleted_clients_owner ON deleted_clients (owner_id); -- for the deletion of a user
