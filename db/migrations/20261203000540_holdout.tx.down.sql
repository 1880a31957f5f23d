DROP TRIGGER clients_gone_holdout ON clients;
DROP TRIGGER clients_came_back ON clients;
DROP FUNCTION note_came_back();
DROP TABLE holdout_clients;
ALTER TABLE mailings DROP holdout_share, DROP holdout_seed, DROP holdout_tag, DROP holdout_field_id, DROP holdout_ended_at, DROP holdout_result;
