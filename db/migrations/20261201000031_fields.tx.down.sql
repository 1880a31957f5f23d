ALTER TABLE clients DROP search;
ALTER TABLE clients ADD search text NOT NULL
    GENERATED ALWAYS AS (lower(email || E'\n' || full_name || E'\n' || comment)) STORED;
DO $$
BEGIN
    CREATE INDEX clients_search ON clients USING gin (search gin_trgm_ops);
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'no pg_trgm: %', SQLERRM;
END $$;
ALTER TABLE clients DROP fields, DROP last_name, DROP first_name;
DROP TABLE fields;
