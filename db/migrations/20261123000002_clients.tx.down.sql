DROP TABLE optouts;
ALTER TABLE clients DROP COLUMN search;
CREATE INDEX clients_owner_id ON clients (owner_id, id DESC);
CREATE INDEX clients_tags ON clients USING gin (tags);
DROP INDEX clients_list;
