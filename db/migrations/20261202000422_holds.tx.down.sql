ALTER TABLE deliveries DROP due_at;
ALTER TABLE runs DROP held;
ALTER TABLE users DROP weekly_cap;
ALTER TABLE mailings DROP zone_of_client, DROP zones, DROP important;
UPDATE fields SET type = 'text' WHERE type = 'timezone';
ALTER TABLE fields DROP CONSTRAINT fields_type_check;
ALTER TABLE fields ADD CONSTRAINT fields_type_check CHECK (type IN ('text', 'number', 'date', 'yes_no', 'choice'));
