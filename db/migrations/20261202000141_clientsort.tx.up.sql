-- The list of clients by name.
CREATE INDEX clients_by_name ON clients (owner_id, lower(full_name), id);
