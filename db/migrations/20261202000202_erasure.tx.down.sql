-- Keyed hashes can't be undone: whoever unsubscribed and was deleted would be written to again. They stay as they are,
-- and the same version finds them once it is back.
ALTER TABLE deleted_clients DROP COLUMN keyed, DROP COLUMN scrub_at;
ALTER TABLE optouts DROP COLUMN keyed;
DROP TABLE address_keys;
