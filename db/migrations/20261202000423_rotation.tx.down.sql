ALTER TABLE runs DROP message_id, DROP issue;
ALTER TABLE mailings DROP message_ids, DROP rotation_stops, DROP rotation_from, DROP issues;
