DROP INDEX clients_left_out;
ALTER TABLE runs DROP not_before;
ALTER TABLE mailings DROP recall, DROP paused_at;
