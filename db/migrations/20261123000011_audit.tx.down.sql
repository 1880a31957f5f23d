ALTER TABLE audit DROP object_id;
